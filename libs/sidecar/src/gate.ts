import type { IncomingHttpHeaders } from 'node:http';
import { bearerToken } from './bearer.ts';
import { isFromThisSite, sessionCookie } from './cookie.ts';
import { type Requirement, requirementOf, suffices } from './requirement.ts';
import { type Authentication, type Policy, REJECTIONS, type Refusal, type RoutePolicy } from './session.ts';
import type { Sidecar } from './sidecar.ts';

export type Admission = Authentication | Refusal;

const CROSS_SITE: Refusal = Object.freeze({ ok: false, code: 'cross_site_request' });

/** What an adapter needs of a sidecar. */
export type GateSidecar = Pick<Sidecar, 'authenticate' | 'authenticateCookie' | 'boundOf' | 'now'>;

export interface GateOptions {
  /**
   * Default `strict`: a request with a cookie, whose method is not safe, must come from this site. `off` leaves that to the
   * service.
   */
  readonly csrf?: 'strict' | 'off';
  /** Other origins that such requests may come from, `https://app.example.com`. Default: none. */
  readonly allowedOrigins?: readonly string[];
}

/** A route as it wants its requests judged. */
export interface GatedRoute {
  readonly policy: Policy;
  readonly bound: number;
  readonly requirement: Requirement | undefined;
}

interface Incoming {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Whether a request carries any credential that is judged. */
export const showsCredential = ({ headers }: Incoming): boolean =>
  headers.authorization !== undefined || sessionCookie(headers.cookie) !== undefined;

/** Judges requests for a framework's adapter: by their token, else by their cookie, then by what the route asks for. */
export class Gate {
  readonly #sidecar: GateSidecar;
  readonly #options: GateOptions;

  constructor(sidecar: GateSidecar, options: GateOptions = {}) {
    this.#sidecar = sidecar;
    this.#options = options;
  }

  /** @throws CurfewError `option_invalid` where the route asks for what cannot be. */
  routeOf(options: Policy | RoutePolicy): GatedRoute {
    const route = typeof options === 'string' ? { policy: options } : options;
    return {
      policy: route.policy ?? 'strict',
      bound: this.#sidecar.boundOf(route.maxViewAgeMs),
      requirement: requirementOf(route),
    };
  }

  admit(request: Incoming, { policy, bound, requirement }: GatedRoute): Admission | Promise<Admission> {
    const answer = this.#judge(request, policy, bound);
    if (requirement === undefined) return answer;
    const { now } = this.#sidecar;
    const demand = (one: Admission) =>
      one.ok && !suffices(one.session, requirement, now()) ? requirement.refusal : one;
    return answer instanceof Promise ? answer.then(demand) : demand(answer);
  }

  #judge(request: Incoming, policy: Policy, bound: number): Admission | Promise<Admission> {
    const { method, headers } = request;
    const token = bearerToken(headers.authorization);
    if (token !== undefined) return this.#sidecar.authenticate(token, policy, bound);
    const id = sessionCookie(headers.cookie);
    if (id === undefined) return REJECTIONS.token.session_invalid;
    const { csrf = 'strict', allowedOrigins = [] } = this.#options;
    if (csrf === 'strict' && !isFromThisSite(method, headers, allowedOrigins)) return CROSS_SITE;
    return this.#sidecar.authenticateCookie(id, policy, bound);
  }
}
