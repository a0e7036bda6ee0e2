import { expect, test } from 'vitest';
import { readConsoleConfig } from '../../../services/console/src/config.ts';

const CREDENTIAL = { CURFEW_CONSOLE_CREDENTIAL: 'console:secret' };

test('the console asks the session service of this machine, and is known by the names of this machine', () => {
  expect(readConsoleConfig(CREDENTIAL)).toEqual({
    sessionServiceUrls: ['http://127.0.0.1:7001'],
    credential: 'console:secret',
    origins: ['http://127.0.0.1:7000', 'http://localhost:7000'],
    traceUrl: undefined,
    host: '127.0.0.1',
    port: 7000,
  });
});

test('its origins are compared as browsers write them', () => {
  const environment = { ...CREDENTIAL, CURFEW_CONSOLE_ORIGIN: 'https://Curfew.example.com:443/' };
  expect(readConsoleConfig(environment).origins).toEqual(['https://curfew.example.com']);
});

test.each([
  ['CURFEW_CONSOLE_CREDENTIAL', {}],
  ['CURFEW_CONSOLE_CREDENTIAL', { CURFEW_CONSOLE_CREDENTIAL: 'secret' }],
  ['CURFEW_CONSOLE_ORIGIN', { ...CREDENTIAL, CURFEW_CONSOLE_ORIGIN: 'https://' }],
  ['CURFEW_TRACE_URL', { ...CREDENTIAL, CURFEW_TRACE_URL: 'javascript:alert(1)//{traceId}' }],
  ['CURFEW_TRACE_URL', { ...CREDENTIAL, CURFEW_TRACE_URL: 'http://127.0.0.1:9411' }],
  ['CURFEW_SESSION_SERVICE_URL', { ...CREDENTIAL, CURFEW_SESSION_SERVICE_URL: '127.0.0.1:7001' }],
])('%s is refused where it cannot be used: %j', (name, environment) => {
  expect(() => readConsoleConfig(environment)).toThrow(
    expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
  );
});
