import { serve } from '@curfew/http';
import { createSidecar } from '@curfew/sidecar';
import { startTelemetry } from '@curfew/telemetry/start';
import { buildApp } from './app.ts';
import { readStorefrontConfig } from './config.ts';

const { service, paymentsUrl, host, port, ...curfewOptions } = readStorefrontConfig();
const telemetry = startTelemetry(service);

const sidecar = createSidecar({
  ...curfewOptions,
  service,
  onWarning: (message, error) => app.log.warn({ err: error }, message),
});
const app = await buildApp({ name: service, sidecar, paymentsUrl, telemetry });

sidecar.start().then(
  () => app.log.info(sidecar.status()),
  (error) => app.log.warn({ err: error }, 'the sidecar did not become live'),
);
await serve(app, { host, port, telemetry, close: () => sidecar.close() });
