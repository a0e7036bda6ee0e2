import type { IncomingMessage, ServerResponse } from 'node:http';
import { protect } from '@curfew/sidecar/express';
import { curfew } from '@curfew/sidecar/fastify';
import { tracer } from '@curfew/telemetry';
import fastify from 'fastify';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Authentication, REJECTIONS, verifiedToken } from '../../../libs/sidecar/src/session.ts';
import { recordSpans } from '../../support/recorded-spans.ts';
import { CLAIMS, NOW } from './issuer.ts';
import { BOUND } from './store.ts';

const spans = recordSpans();
const accepted = verifiedToken(CLAIMS).accepted.memory;
let answer: Authentication | Promise<Authentication>;
const authenticate = () => answer;
const sidecar = {
  authenticate,
  authenticateCookie: authenticate,
  boundOf: () => BOUND,
  turnedAway() {},
  now: () => NOW,
};
const work = () => tracer().startSpan('work').end();
const headers = { authorization: 'Bearer a.b.c' };

const app = fastify();
beforeAll(async () => {
  await app.register(curfew, { sidecar });
  app.post('/orders', async () => {
    work();
    return {};
  });
  app.post('/open', { config: { curfew: 'open' } }, async () => {
    work();
    return {};
  });
});
beforeEach(() => {
  answer = accepted;
});

/** Who each span of a request says that it is of: the request's last. */
const told = () => spans.map(({ name, attributes }) => [name, attributes['curfew.session.version']]);

async function inRequest(ask: () => Promise<unknown>): Promise<void> {
  await tracer().startActiveSpan('request', async (request) => {
    await ask();
    request.end();
  });
}

const fastifyRequest = (url: string) =>
  inRequest(() => app.inject({ method: 'POST', url, headers, payload: { umbrella: 1 } }));

const expressRequest = () =>
  inRequest(
    () =>
      new Promise<void>((resolve) => {
        const response = { writeHead: () => ({ end: () => resolve() }) };
        protect(sidecar)({ method: 'POST', headers } as IncomingMessage, response as unknown as ServerResponse, () => {
          work();
          resolve();
        });
      }),
  );

describe.each([
  ['Fastify', () => fastifyRequest('/orders')],
  ['Express', expressRequest],
])('on %s, a request with a body', (_framework, send) => {
  test.each([
    ['at once', accepted],
    ['later', Promise.resolve(accepted)],
  ])('that is accepted %s tells whose it is on every span', async (_when, given) => {
    answer = given;
    await send();
    expect(told()).toEqual([
      ['work', 10],
      ['request', 10],
    ]);
  });

  test('that is rejected tells nobody', async () => {
    answer = REJECTIONS.memory.session_revoked;
    await send();
    expect(told()).toEqual([['request', undefined]]);
  });
});

test('an open route tells nobody, whatever the request carries', async () => {
  await fastifyRequest('/open');
  expect(told()).toEqual([
    ['work', undefined],
    ['request', undefined],
  ]);
});
