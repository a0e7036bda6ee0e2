import { CurfewError } from '@curfew/contracts';
import { bearerToken } from './bearer.ts';
import { type Incoming, isFromThisSite, sessionCookie } from './cookie.ts';
import { type Requirement, requirementOf, suffices } from './requirement.ts';
import {
  type Authentication,
  type Policy,
  REJECTIONS,
  type Refusal,
  type RoutePolicy,
  type RouteRefusal,
  type Session,
} from './session.ts';
import type { Sidecar } from './sidecar.ts';

export type Admission = Authentication | Refusal;

const CROSS_SITE: RouteRefusal = Object.freeze({ ok: false, code: 'cross_site_request' });

/** What an adapter needs of a sidecar. */
export type GateSidecar = Pick<Sidecar, 'authenticate' | 'authenticateCookie' | 'boundOf' | 'turnedAway' | 'now'>;

export interface GateOptions {
  /**
   * Default `strict`: a request with a cookie, whose method is not safe, or which opens a WebSocket, must come from this
   * site. `off` leaves that to the service.
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

/** Whether a request carries any credential that is judged. */
export const showsCredential = ({ headers }: Incoming): boolean =>
  headers.authorization !== undefined || sessionCookie(headers.cookie) !== undefined;

/** Judges requests for a framework's adapter: by their token, else by their cookie, then by what the route asks for. */
export class Gate {
  readonly #sidecar: GateSidecar;
  readonly #options: Required<GateOptions>;

  /** @throws CurfewError `option_invalid` */
  constructor(sidecar: GateSidecar, { csrf = 'strict', allowedOrigins = [] }: GateOptions = {}) {
    if (csrf !== 'strict' && csrf !== 'off') throw new CurfewError('option_invalid', 'csrf is neither strict nor off');
    if (!Array.isArray(allowedOrigins) || !allowedOrigins.every((one) => URL.parse(one)?.origin === one))
      throw new CurfewError('option_invalid', 'allowedOrigins is not a list of origins, https://app.example.com');
    this.#sidecar = sidecar;
    this.#options = { csrf, allowedOrigins };
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
    const demand = (one: Admission) =>
      one.ok && !suffices(one.session, requirement, this.#sidecar.now())
        ? this.#turnAway(requirement.refusal, one.session)
        : one;
    return answer instanceof Promise ? answer.then(demand) : demand(answer);
  }

  #judge(request: Incoming, policy: Policy, bound: number): Admission | Promise<Admission> {
    const { headers } = request;
    const token = bearerToken(headers.authorization);
    if (token !== undefined) return this.#sidecar.authenticate(token, policy, bound);
    const id = sessionCookie(headers.cookie);
    if (id === undefined) return REJECTIONS.token.session_invalid;
    const { csrf, allowedOrigins } = this.#options;
    if (csrf === 'strict' && !isFromThisSite(request, allowedOrigins)) return this.#turnAway(CROSS_SITE);
    return this.#sidecar.authenticateCookie(id, policy, bound);
  }

  #turnAway(refusal: RouteRefusal, session?: Session): Refusal {
    this.#sidecar.turnedAway(refusal.code, session);
    return refusal;
  }
}
