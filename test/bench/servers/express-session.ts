import { createServer } from 'node:http';
import { RedisStore } from 'connect-redis';
import express, { type Request } from 'express';
import session, { type SessionData } from 'express-session';
import { createClient } from 'redis';
import { referenceSession } from '../reference-session.ts';
import { serve } from './serve.ts';

/** The route behind `express-session` with `connect-redis`, as their pages say to set them up. */

const HOUR_MS = 3_600_000;

const client = createClient({ url: process.env['CURFEW_REDIS_URL'] ?? '' });
await client.connect();
const app = express();
app.use(
  session({
    store: new RedisStore({ client }),
    secret: 'a secret of the benchmark alone',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: HOUR_MS, sameSite: 'lax' },
  }),
);
const sessionOf = (request: Request): SessionData => (request as unknown as { session: SessionData }).session;
app.post('/sessions/:i', (request, response) => {
  sessionOf(request).user = referenceSession(Number(request.params.i));
  response.json({});
});
app.get('/me', (request, response) => {
  const { user } = sessionOf(request);
  if (user === undefined) response.status(401);
  response.json({ subject: user?.subject });
});
serve(createServer(app), () => client.close());
