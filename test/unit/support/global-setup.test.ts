import { afterEach, expect, test, vi } from 'vitest';
import type { TestProject } from 'vitest/node';
import setup from '../../support/global-setup.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('a stack that cannot be tidied up is a warning, and fails no run whose tests passed', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const stop = () => Promise.reject(new Error('No such container'));
  const shared = Promise.resolve({ stack: {}, origin: 'Kafka: a container', clusterUrl: '', stop });
  vi.stubGlobal('curfewStack', { shared, users: 0 });
  const tearDown = await setup({ provide: () => {} } as unknown as TestProject);
  await tearDown();
  expect(warn.mock.calls.join()).toContain('No such container');
});
