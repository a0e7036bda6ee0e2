import {
  type AccessTokenClaims,
  CurfewError,
  claimsOfRecord,
  isSessionId,
  type SessionRecord,
  sessionIdHash,
  sidOf,
} from '@curfew/contracts';
import type { User } from '@curfew/http';
import type { TokenCheck } from '@curfew/sidecar/token-check';
import type { SessionStore } from '../store/session-store.ts';
import type { VersionStore } from '../store/version-store.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { Revocations } from './revocations.ts';
import type { Sessions } from './sessions.ts';
import { assertFresh, type Freshness, type Standing, standingOf } from './standing.ts';

export interface ShownTokensOptions extends Freshness {
  /** Signature, type, issuer, audience and times of an access token. */
  readonly checkToken: TokenCheck;
  readonly refreshTokens: Pick<RefreshTokens, 'read'>;
  readonly versions: Pick<VersionStore, 'read'>;
  readonly store: Pick<SessionStore, 'read'>;
  readonly sessions: Pick<Sessions, 'end'>;
  readonly revocations: Pick<Revocations, 'end'>;
  readonly issuer: string;
  readonly audience: string;
}

/** What is known of a token that is good now (RFC 7662, section 2.2). Times in seconds. */
export interface ActiveToken extends Omit<AccessTokenClaims, 'aud' | 'jti'> {
  /** What may be done with it: an access token alone is `Bearer`. */
  readonly token_type: 'Bearer' | 'refresh_token' | 'session_cookie';
  /** Of no refresh token: it is for this service. */
  readonly aud?: AccessTokenClaims['aud'];
  readonly jti?: string;
}

/** A token that this service has given out, as it says itself, or a session's id. */
type Shown =
  | { readonly type: 'Bearer'; readonly sid: string; readonly claims: AccessTokenClaims; readonly of: Account }
  | { readonly type: 'refresh_token'; readonly sid: string; readonly generation: number; readonly of: Account }
  | { readonly type: 'session_cookie'; readonly sid: string; readonly idHash: string; readonly of?: undefined };

interface Account {
  readonly subject: string;
  readonly tenant?: string | undefined;
}

/**
 * Judges whatever somebody shows, by the versions of now and not by the token alone. All methods throw CurfewError
 * `store_unavailable` while Redis does not answer.
 */
export class ShownTokens {
  readonly #options: ShownTokensOptions;

  constructor(options: ShownTokensOptions) {
    this.#options = options;
  }

  /**
   * What is known of a token that is good now; undefined for every other text.
   *
   * @throws CurfewError `view_stale` where it cannot be proven that the session still holds.
   */
  async introspect(token: string): Promise<ActiveToken | undefined> {
    const { issuer, audience } = this.#options;
    const shown = await this.#read(token);
    const session = shown && (await this.#sessionOf(shown));
    if (!shown || !session || (await this.#standing(shown, session)) !== 'active') return undefined;
    if (shown.type === 'Bearer') {
      const { dev: _, ...claims } = shown.claims;
      return { ...claims, token_type: shown.type };
    }
    const { dev: _, ...claims } = claimsOfRecord(session);
    const { createdAt, lastSeenAt, idleMs, expiresAt } = session;
    return {
      ...claims,
      token_type: shown.type,
      iss: issuer,
      iat: Math.floor(createdAt / 1000),
      exp: Math.floor(Math.min(lastSeenAt + idleMs, expiresAt) / 1000),
      ...(shown.type === 'session_cookie' ? { aud: audience } : {}),
    };
  }

  /**
   * The user of an access token; undefined where it is none of this service's.
   *
   * @throws CurfewError `session_expired`, `session_revoked`, `session_stale`, `view_stale`
   */
  async userOf(token: string): Promise<User | undefined> {
    const checked = await this.#options.checkToken(token);
    if (!checked.ok) {
      if (checked.code === 'session_expired') throw new CurfewError('session_expired');
      return undefined;
    }
    const shown = ofClaims(checked.claims);
    const session = await this.#sessionOf(shown);
    const standing = session === undefined ? 'revoked' : await this.#standing(shown, session);
    if (standing !== 'active') throw new CurfewError(standing === 'stale' ? 'session_stale' : 'session_revoked');
    const { sub: subject, sid, auth_time = 0 } = checked.claims;
    return { subject, sid, authenticatedAt: auth_time * 1000 };
  }

  /**
   * Ends the session of a token, by an account event. Of a text that is no token of a session that lives, nothing is
   * ended, and nobody is told so (RFC 7009, section 2.2).
   */
  async revoke(token: string): Promise<void> {
    const shown = await this.#read(token);
    if (shown === undefined || (shown.type === 'session_cookie' && !(await this.#opened(shown)))) return;
    try {
      await this.#options.sessions.end(shown.sid, 'token-revoked');
    } catch (error) {
      if (!(error instanceof CurfewError) || error.code !== 'session_not_found') throw error;
      if (shown.type !== 'session_cookie') await this.#endWithoutRecord(shown);
    }
  }

  /** Another tab may have renewed the session while this one logs out: meant is the session, whatever its id is by now. */
  async #opened({ sid, idHash }: Extract<Shown, { type: 'session_cookie' }>): Promise<boolean> {
    const session = await this.#options.store.read(sid);
    if (session === undefined || session.idHash === idHash) return session !== undefined;
    return session.previousIdHash === idHash && this.#options.now() < session.predecessorUntil;
  }

  /** Redis may have lost the record, and access tokens of the session would be good for a while. */
  async #endWithoutRecord({ sid, of: { subject, tenant } }: Exclude<Shown, { type: 'session_cookie' }>): Promise<void> {
    const { versions, revocations } = this.#options;
    if ((await versions.read(subject, tenant, sid)).sessionEnded) return;
    await revocations.end({ subject, session: sid, reason: 'token-revoked', initiatingEntity: 'user' });
  }

  async #read(token: string): Promise<Shown | undefined> {
    if (isSessionId(token)) return { type: 'session_cookie', sid: sidOf(token), idHash: sessionIdHash(token) };
    const checked = await this.#options.checkToken(token);
    if (checked.ok) return ofClaims(checked.claims);
    const claims = await this.#options.refreshTokens.read(token);
    return claims && { type: 'refresh_token', sid: claims.sid, generation: claims.generation, of: claims };
  }

  /** The record of the session, unless it has ended, or exchanges this refresh token no more. */
  async #sessionOf(shown: Shown): Promise<SessionRecord | undefined> {
    const { store, now } = this.#options;
    const session = await store.read(shown.sid);
    if (session === undefined || session.ended !== undefined) return undefined;
    if (shown.type === 'session_cookie' && shown.idHash !== session.idHash) return undefined;
    if (shown.of !== undefined && shown.of.subject !== session.subject) return undefined;
    if (shown.type !== 'refresh_token' || shown.generation >= session.generation) return session;
    return shown.generation === session.generation - 1 && now() < session.predecessorUntil ? session : undefined;
  }

  /**
   * @throws CurfewError `view_stale` where it would be `active`.
   */
  async #standing(shown: Shown, session: SessionRecord): Promise<Standing> {
    const read = await this.#options.versions.read(session.subject, session.tenant, session.sid);
    const standing = standingOf(shown.type === 'Bearer' ? { ...session, ...shown.claims.ver } : session, read);
    // To renew is what a refresh token is for.
    const judged = shown.type === 'refresh_token' && standing === 'stale' && !read.blocked ? 'active' : standing;
    if (judged === 'active') assertFresh(read, this.#options);
    return judged;
  }
}

const ofClaims = (claims: AccessTokenClaims): Shown => ({
  type: 'Bearer',
  sid: claims.sid,
  claims,
  of: { subject: claims.sub, tenant: claims.ten },
});
