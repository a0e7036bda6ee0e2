import { isCount, isJsonObject, isText, isTexts } from './json.ts';
import { fail, ok, type Result } from './result.ts';
import { isTier, type Tier } from './tiers.ts';

/** The versions that a session was minted with: its subject's, its tenant's, the realm's. */
export interface VersionVector {
  readonly s: number;
  readonly t: number;
  readonly r: number;
  /** Every event that was acknowledged and applied before this time (ms since the epoch) is in the vector. */
  readonly at: number;
}

/** The claims of an access token (RFC 9068). `exp`, `iat` and `auth_time` are in seconds. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly sid: string;
  readonly ver: VersionVector;
  readonly ten?: string;
  readonly roles?: readonly string[];
  readonly acr?: string;
  /** Methods of authentication (RFC 8176). */
  readonly amr?: readonly string[];
  readonly auth_time?: number;
  readonly tier?: Tier;
  readonly dev?: string;
  readonly client_id?: string;
}

/** The `typ` of an access token's header, and the only algorithms that sign one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
export const ACCESS_TOKEN_ALGORITHMS = ['EdDSA', 'ES256'] as const;

/** Longest access token, characters: sidecars look at none that is longer. */
export const MAX_ACCESS_TOKEN_LENGTH = 8192;

/** Checks the shape of claims whose signature, issuer, audience and times are verified elsewhere. */
export function parseClaims(value: unknown): Result<AccessTokenClaims> {
  if (!isJsonObject(value)) return fail('claims_invalid', 'the claims are not an object');
  const { iss, sub, aud, exp, iat, jti, sid, ver, ten, roles, acr, amr, auth_time, tier, dev, client_id } = value;
  if (!isText(iss) || !isText(sub) || !isText(jti) || !isText(sid))
    return fail('claims_invalid', 'iss, sub, jti or sid is missing');
  if (!isText(aud) && !isTexts(aud)) return fail('claims_invalid', 'aud is missing');
  if (!isCount(exp) || !isCount(iat)) return fail('claims_invalid', 'exp or iat is not a time in seconds');
  if (!isVersionVector(ver)) return fail('claims_invalid', 'ver is not a vector of versions');
  for (const [name, texts] of Object.entries({ roles, amr }))
    if (texts !== undefined && !isTexts(texts)) return fail('claims_invalid', `${name} is not a list of texts`);
  if (tier !== undefined && !isTier(tier)) return fail('claims_invalid', 'tier is none of the tiers');
  if (auth_time !== undefined && !isCount(auth_time))
    return fail('claims_invalid', 'auth_time is not a time in seconds');
  const optional = { ten, acr, dev, client_id };
  for (const [name, text] of Object.entries(optional))
    if (text !== undefined && !isText(text)) return fail('claims_invalid', `${name} is not a text`);
  const { s, t, r, at } = ver;
  const claims = { iss, sub, aud, exp, iat, jti, sid, ver: { s, t, r, at }, ...optional, tier, roles, amr, auth_time };
  return ok(withoutUndefined(claims) as unknown as AccessTokenClaims);
}

const isVersionVector = (value: unknown): value is VersionVector =>
  isJsonObject(value) && isCount(value['s']) && isCount(value['t']) && isCount(value['r']) && isCount(value['at']);

const withoutUndefined = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, member]) => member !== undefined));
