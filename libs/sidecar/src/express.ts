import type { IncomingMessage, ServerResponse } from 'node:http';
import { contextOfSession } from '@curfew/telemetry';
import { context } from '@opentelemetry/api';
import { problemResponse } from './bearer.ts';
import { type Admission, Gate, type GateOptions, type GateSidecar, showsCredential } from './gate.ts';
import type { Policy, Refusal, RoutePolicy, Session } from './session.ts';

declare global {
  namespace Express {
    interface Request {
      /** Who makes the request, behind `protect`. */
      session: Session;
    }
  }
}

export type Middleware = (
  request: IncomingMessage & { session?: Session },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Protects what comes after it: `app.use(protect(sidecar))`, or one route: `app.get('/orders', protect(sidecar,
 * 'lenient'), …)`, `protect(sidecar, { maxViewAgeMs: 1000, tier: 'payment' })`. What is rejected gets problem+json
 * (RFC 9457). Behind whatever reads bodies, it lets the baggage of a trace tell whose request it is to the end.
 *
 * @throws CurfewError `option_invalid` where the route asks for what cannot be.
 */
export function protect(sidecar: GateSidecar, options: Policy | (RoutePolicy & GateOptions) = 'strict'): Middleware {
  const gate = new Gate(sidecar, typeof options === 'string' ? {} : options);
  const route = gate.routeOf(options);
  return (request, response, next) => {
    const admit = (answer: Admission) => {
      if (!answer.ok) return reject(response, answer, showsCredential(request));
      request.session = answer.session;
      const traced = contextOfSession(answer.session);
      if (traced === undefined) next();
      else context.with(traced, () => next());
    };
    const answer = gate.admit(request, route);
    if (answer instanceof Promise) answer.then(admit).catch(next);
    else admit(answer);
  };
}

function reject(response: ServerResponse, refusal: Refusal, credentialSent: boolean): void {
  const { status, headers, problem } = problemResponse(refusal, credentialSent);
  response.writeHead(status, headers).end(JSON.stringify(problem));
}
