import { startTelemetry } from '@curfew/telemetry/start';
import { afterAll, expect, test, vi } from 'vitest';
import { authorizationOf, credentialOf } from '../../../infra/local/clients.mjs';
import { SessionService } from '../../../services/console/src/session-service.ts';
import { startFakeSessionService } from '../../support/fake-session-service.ts';
import { revocationReport } from '../../support/reports.ts';
import { openSpanSink } from '../../support/span-sink.ts';

const sink = await openSpanSink();
afterAll(() => {
  sink.close();
  vi.unstubAllEnvs();
});

test('what an open page has the console ask again and again is in no trace, and a revocation is', async () => {
  for (const [name, value] of Object.entries(sink.environment)) vi.stubEnv(name, value);
  const telemetry = startTelemetry('session-service');
  const fake = await startFakeSessionService({
    sidecars: [],
    revocations: [revocationReport(Date.now())],
    metrics: '',
    notReady: [],
    sessions: { s1: { subject: 'alice' } },
    versions: {},
  });
  const console = new SessionService({ urls: [fake.url], credential: credentialOf('console') });
  for (const path of ['/v1/subjects/alice/version', '/v1/subjects/alice/sessions', '/v1/sessions/s1'])
    await console.read(path);
  const authorization = authorizationOf('operator');
  await console.ask('/v1/revocations', { method: 'POST', authorization, body: {} });
  await fake.close();
  await telemetry.shutdown();
  const spans = [...sink.text().matchAll(/"name":"((?:GET|POST) [^"]*)"/g)].map(([, name]) => name);
  expect(spans).toEqual(['POST /v1/revocations']);
});
