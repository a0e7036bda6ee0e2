import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { CurfewError, ERRORS, type ErrorCode } from '@curfew/contracts';
import { type App, type AppOptions, createApp } from '@curfew/http';
import type { Sidecar } from '@curfew/sidecar';
import { curfew, type GateSidecar } from '@curfew/sidecar/fastify';

export interface StorefrontOptions extends Pick<AppOptions, 'name' | 'telemetry' | 'logLevel'> {
  readonly sidecar: GateSidecar & Pick<Sidecar, 'notReady'>;
  readonly paymentsUrl: string;
}

/** Longest wait for payments, ms. */
const PAYMENT_TIMEOUT_MS = 2000;

/** A transfer needs a session that is good for payments, and a user who showed a credential in the last five minutes. */
const TRANSFERS = { tier: 'payment', maxAuthAgeMs: 300_000 } as const;

/** A shop that Curfew protects. One program, run as `orders` and as `payments`. It listens nowhere yet. */
export async function buildApp({ sidecar, paymentsUrl, ...options }: StorefrontOptions): Promise<App> {
  const app = await createApp({ ...options, notReady: () => sidecar.notReady() });
  await app.register(curfew, { sidecar });

  app.get('/catalog', { config: { curfew: 'open' } }, () => ({ items: ['umbrella', 'lantern'] }));

  app.get('/orders', { config: { curfew: 'lenient' } }, ({ session: { subject, roles, provable, source } }) => ({
    subject,
    roles,
    provable,
    source,
  }));

  app.post('/orders', async ({ session, headers }, reply) => {
    const payment = await pay(paymentsUrl, headers);
    return reply.code(201).send({ id: randomUUID(), subject: session.subject, payment });
  });

  app.get('/payments', ({ session: { subject, roles } }) => ({ subject, roles }));

  app.post('/transfers', { config: { curfew: TRANSFERS } }, ({ session: { subject } }, reply) =>
    reply.code(201).send({ id: randomUUID(), subject }),
  );

  app.post('/payments', ({ session: { subject } }, reply) => reply.code(201).send({ id: randomUUID(), subject }));

  return app;
}

/**
 * Has payments do its part by the user's own session, which payments judges for itself. That the request comes from the
 * site that a cookie is of was found here, and is said on.
 */
async function pay(paymentsUrl: string, { authorization, cookie }: IncomingHttpHeaders): Promise<unknown> {
  const signal = AbortSignal.timeout(PAYMENT_TIMEOUT_MS);
  const headers: Record<string, string> = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(cookie === undefined ? {} : { cookie, 'sec-fetch-site': 'same-origin' }),
  };
  const request = { method: 'POST', headers, signal };
  const [status, body] = await fetch(new URL('/payments', paymentsUrl), request)
    .then(async (answer): Promise<[number, unknown]> => [answer.status, await answer.json()])
    .catch((cause) => {
      throw new CurfewError('upstream_unavailable', 'payments does not answer', { cause });
    });
  if (status === 201) return body;
  const code = (body as { code?: unknown } | null)?.code;
  if (status === 401 && isErrorCode(code)) throw new CurfewError(code);
  throw new CurfewError('upstream_unavailable', `payments answers ${status}`);
}

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code);
