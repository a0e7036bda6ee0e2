import { CurfewError } from '@curfew/contracts';
import { decodeJwt, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { ASSERTION_ALGORITHMS, type Client, type Clients } from './clients.ts';

/** How far ahead the `exp` of an assertion may lie, seconds. */
const MAX_LIFE_S = 300;

/** How far the clocks of client and service may be apart, seconds. */
const CLOCK_TOLERANCE_S = 5;

const MAX_JTI_LENGTH = 128;

export interface AssertionOptions {
  readonly clients: Clients;
  /** What `aud` must be or hold: the service's own name. */
  readonly audience: string;
  /** ms since the epoch. */
  readonly now?: () => number;
  /** Assertions that are remembered at the same time, each until it has expired. */
  readonly maxRemembered?: number;
}

/** Verifies client assertions (RFC 7523, section 3), each of them once in this process. */
export class ClientAssertions {
  readonly #options: AssertionOptions;
  readonly #now: () => number;
  readonly #maxRemembered: number;
  readonly #seen: LRUCache<string, true>;

  constructor(options: AssertionOptions) {
    const { now = Date.now, maxRemembered = 100_000 } = options;
    this.#options = options;
    this.#now = now;
    this.#maxRemembered = maxRemembered;
    this.#seen = new LRUCache({ max: maxRemembered, perf: { now } });
  }

  /**
   * @throws CurfewError `client_unauthenticated`, saying what is wrong with the assertion; `rate_limited` where more of
   *   them are valid at the same time than can be remembered.
   */
  async clientOf(assertion: string): Promise<Client> {
    const { clients, audience } = this.#options;
    const client = clients.byId.get(issuerOf(assertion) ?? '');
    if (client?.keyOf === undefined) throw refused('its iss is no client with keys');
    const currentDate = new Date(this.#now());
    const { payload } = await jwtVerify(assertion, client.keyOf, {
      algorithms: [...ASSERTION_ALGORITHMS],
      issuer: client.id,
      subject: client.id,
      audience,
      requiredClaims: ['exp', 'jti'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate,
    }).catch((error) => {
      throw refused(error instanceof errors.JOSEError ? error.code : 'it cannot be verified');
    });
    const { jti, exp = 0 } = payload;
    const lifeMs = exp * 1000 - currentDate.getTime();
    if (lifeMs > (MAX_LIFE_S + CLOCK_TOLERANCE_S) * 1000) throw refused(`its exp is more than ${MAX_LIFE_S} s ahead`);
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH)
      throw refused(`its jti is no text of at most ${MAX_JTI_LENGTH} characters`);
    this.#remember(`${client.id} ${jti}`, lifeMs + CLOCK_TOLERANCE_S * 1000);
    return client;
  }

  #remember(key: string, ttl: number): void {
    if (this.#seen.has(key)) throw refused('it was used before');
    // One that is forgotten could be used again, so none is evicted.
    if (this.#seen.size >= this.#maxRemembered) this.#seen.purgeStale();
    if (this.#seen.size >= this.#maxRemembered) throw new CurfewError('rate_limited');
    this.#seen.set(key, true, { ttl });
  }
}

function issuerOf(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).iss;
  } catch {
    return undefined;
  }
}

const refused = (why: string) => new CurfewError('client_unauthenticated', `the client assertion is refused: ${why}`);
