import type { SessionRecord } from '@curfew/contracts';
import { type AccessTokenOptions, signAccessToken } from './access-token.ts';
import type { RefreshTokens } from './refresh-tokens.ts';

/** How a session is carried: by tokens, or by a cookie that holds its id. */
export type Mode = 'bearer' | 'cookie';

/** What a client gets of a session. Refresh token and id are secrets. */
export type Grant = {
  readonly session: SessionRecord;
  /** When the access token expires, or the session at the latest, ms since the epoch. */
  readonly expiresAt: number;
} & (
  | { readonly mode: 'bearer'; readonly accessToken: string; readonly refreshToken: string }
  | { readonly mode: 'cookie'; readonly id: string }
);

export interface GrantsOptions {
  readonly tokens: AccessTokenOptions;
  readonly refreshTokens: Pick<RefreshTokens, 'issue'>;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  /** Signs an access token. Default: by the key of `tokens`. */
  readonly sign?: typeof signAccessToken;
}

/** Makes what clients carry. */
export class Grants {
  readonly #options: GrantsOptions;

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** @param generation of the refresh token. */
  async bearer(session: SessionRecord, generation: number): Promise<Grant> {
    const { tokens, refreshTokens, now, sign = signAccessToken } = this.#options;
    const { sid, subject, tenant } = session;
    const claims = { sid, generation, subject, ...(tenant === undefined ? {} : { tenant }) };
    const [{ accessToken, expiresAt }, refreshToken] = await Promise.all([
      sign(tokens, session, now()),
      refreshTokens.issue(claims),
    ]);
    return { mode: 'bearer', session, accessToken, refreshToken, expiresAt };
  }

  cookie(session: SessionRecord, id: string): Grant {
    return { mode: 'cookie', session, id, expiresAt: session.expiresAt };
  }
}
