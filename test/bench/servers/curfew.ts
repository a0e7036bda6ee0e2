import { createServer } from 'node:http';
import { createSidecar } from '@curfew/sidecar';
import { protect } from '@curfew/sidecar/express';
import express from 'express';
import { serve } from './serve.ts';

/** The route behind Curfew's sidecar. */

const { CURFEW_KAFKA_BROKERS = '', CURFEW_REDIS_URL = '', CURFEW_ISSUER = '', CURFEW_AUDIENCE = '' } = process.env;
const sidecar = createSidecar({
  brokers: CURFEW_KAFKA_BROKERS.split(','),
  redisUrl: CURFEW_REDIS_URL,
  issuer: CURFEW_ISSUER,
  audience: CURFEW_AUDIENCE,
  service: 'bench',
});
await sidecar.start();
const app = express();
app.use(protect(sidecar));
app.get('/me', (request, response) => {
  response.json({ subject: request.session.subject });
});
serve(createServer(app), () => sidecar.close());
