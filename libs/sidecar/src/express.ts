import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerToken, problemResponse } from './bearer.ts';
import type { Authentication, Policy, RejectionCode, RoutePolicy, Session } from './session.ts';
import type { Sidecar } from './sidecar.ts';

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
 * 'lenient'), …)`, `protect(sidecar, { maxViewAgeMs: 1000 })`. What is rejected gets problem+json (RFC 9457).
 *
 * @throws CurfewError `option_invalid` where `maxViewAgeMs` is longer than the sidecar's.
 */
export function protect(
  sidecar: Pick<Sidecar, 'authenticate' | 'boundOf'>,
  options: Policy | RoutePolicy = 'strict',
): Middleware {
  const { policy = 'strict', maxViewAgeMs } = typeof options === 'string' ? { policy: options } : options;
  const bound = sidecar.boundOf(maxViewAgeMs);
  return (request, response, next) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) return reject(response, 'session_invalid', request.headers.authorization !== undefined);
    const admit = (answer: Authentication) => {
      if (!answer.ok) return reject(response, answer.code, true);
      request.session = answer.session;
      next();
    };
    const answer = sidecar.authenticate(token, policy, bound);
    if (answer instanceof Promise) answer.then(admit).catch(next);
    else admit(answer);
  };
}

function reject(response: ServerResponse, code: RejectionCode, credentialSent: boolean): void {
  const { status, headers, problem } = problemResponse(code, credentialSent);
  response.writeHead(status, headers).end(JSON.stringify(problem));
}
