import { createSidecar } from '@curfew/sidecar';
import { startTelemetry } from '@curfew/telemetry/start';
import { buildApp } from '../../../services/storefront/src/app.ts';
import { serve } from './serve.ts';

/** The sample service: with `watched` it reports all that it can, otherwise nothing. */

const { CURFEW_KAFKA_BROKERS = '', CURFEW_REDIS_URL = '', CURFEW_ISSUER = '', CURFEW_AUDIENCE = '' } = process.env;
const telemetry = process.argv[2] === 'watched' ? startTelemetry('storefront') : undefined;
const sidecar = createSidecar({
  brokers: CURFEW_KAFKA_BROKERS.split(','),
  redisUrl: CURFEW_REDIS_URL,
  issuer: CURFEW_ISSUER,
  audience: CURFEW_AUDIENCE,
  service: 'storefront',
  receipts: telemetry !== undefined,
});
await sidecar.start();
const options = { name: 'storefront', logLevel: 'warn', paymentsUrl: CURFEW_ISSUER };
const app = await buildApp({ ...options, sidecar, ...(telemetry ? { telemetry } : {}) });
await app.ready();
serve(app.server, () => Promise.all([sidecar.close(), telemetry?.shutdown()]));
