import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { freePorts } from '../../../infra/local/ports.mjs';
import { startProcess, waitUntil } from '../../../infra/local/processes.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-serve-'));
const log = join(directory, 'service.log');
afterAll(() => removeDirectory(directory));

const SERVICE = `
  import { startTelemetry } from '@curfew/telemetry/start';
  const telemetry = startTelemetry('test');
  const { createApp, serve } = await import('@curfew/http');
  const app = await createApp({ name: 'test', notReady: () => [], telemetry });
  app.get('/traced', () => 'yes');
  await serve(app, { host: '127.0.0.1', port: Number(process.env.PORT), telemetry, close: async () => {} });`;

test('a service whose trace collector is dead stops within seconds, with a warning and exit code 0', {
  timeout: 20_000,
}, async () => {
  const [port, refused] = await freePorts(2);
  const service = await startProcess({
    name: 'service',
    command: process.execPath,
    args: ['--input-type=module', '-e', SERVICE],
    cwd: inRoot('services/session-service'),
    env: { ...process.env, PORT: `${port}`, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${refused}` },
    log,
  });
  const traced = () =>
    fetch(`http://127.0.0.1:${port}/traced`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(service, traced, { limitMs: 8000 });
  const began = performance.now();
  await service.stop();
  expect(await service.ended).toBe('exit code 0');
  expect(performance.now() - began).toBeLessThan(5000);
  expect(readFileSync(log, 'utf8')).toContain('the last telemetry of this process is lost');
});
