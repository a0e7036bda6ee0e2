import { serve } from '@curfew/http';
import { createPublisher } from '@curfew/publisher';
import { startTelemetry } from '@curfew/telemetry/start';
import { buildApp } from './app.ts';
import { readIdentityPublisherConfig } from './config.ts';

const { kafka, issuer, access, host, port } = readIdentityPublisherConfig();
const telemetry = startTelemetry('identity-publisher');

const publisher = createPublisher({
  ...kafka,
  issuer,
  clientId: 'identity-publisher',
  onReadiness: (notReady) => {
    if (notReady.length === 0) app.log.info('Kafka answers');
    else app.log.warn(notReady.join('; '));
  },
});
const app = await buildApp({ publisher, access, telemetry });

publisher.start();
await serve(app, { host, port, telemetry, close: () => publisher.close() });
