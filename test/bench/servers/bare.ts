import { createServer } from 'node:http';
import express from 'express';
import { serve } from './serve.ts';

/** The route with no session at all: the floor. */

const app = express();
app.get('/me', (_request, response) => {
  response.json({ subject: 'user-0000000' });
});
serve(createServer(app));
