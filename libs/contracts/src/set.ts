import { isCount, isJsonObject, isText, type JsonObject, parseJsonObject } from './json.ts';
import { fail, ok, type Result } from './result.ts';
import { MAX_ID_LENGTH, parseSubjectId, type SubjectId } from './subject.ts';

/** A Security Event Token's claims (RFC 8417), its subject in `sub_id` (RFC 9493). Times are in seconds. */
export interface SecurityEventToken {
  readonly iss: string;
  readonly jti: string;
  readonly iat: number;
  readonly txn?: string;
  readonly sub_id: SubjectId;
  readonly events: { readonly [typeUri: string]: JsonObject };
}

export const CONTENT_TYPE = { json: 'application/json', jwt: 'application/secevent+jwt' } as const;

/** Checks claims that are already JSON, such as a request body. Unknown claims are dropped. */
export function parseSet(claims: unknown): Result<SecurityEventToken> {
  if (!isJsonObject(claims)) return fail('set_invalid', 'the SET is not an object');
  const { iss, jti, iat, txn, events } = claims;
  if (!isText(iss)) return fail('set_invalid', 'iss is missing');
  if (!isText(jti) || jti.length > MAX_ID_LENGTH)
    return fail('set_invalid', `jti is not a text of 1 to ${MAX_ID_LENGTH} characters`);
  if (!isCount(iat)) return fail('set_invalid', 'iat is not a time in seconds');
  if (txn !== undefined && !isText(txn)) return fail('set_invalid', 'txn is not a text');
  if (!isJsonObject(events) || Object.keys(events).length === 0)
    return fail('set_invalid', 'events is missing or empty');
  const payloads: [string, JsonObject][] = [];
  for (const [type, payload] of Object.entries(events)) {
    if (!isJsonObject(payload)) return fail('set_invalid', `the payload of event "${type}" is not an object`);
    payloads.push([type, payload]);
  }
  const subject = parseSubjectId(claims['sub_id']);
  if (!subject.ok) return subject;
  return ok({
    iss,
    jti,
    iat,
    ...(txn === undefined ? {} : { txn }),
    sub_id: subject.value,
    events: Object.fromEntries(payloads),
  });
}

/**
 * Reads the value of an account-event record: claims as JSON, or a JWT whose claims are read. Who may write to the log
 * is the broker's decision (ACLs), so a JWT's signature is checked where a SET enters from outside, not here.
 */
export function decodeSet(
  value: Uint8Array | null | undefined,
  contentType: string = CONTENT_TYPE.json,
): Result<SecurityEventToken> {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== CONTENT_TYPE.json && mediaType !== CONTENT_TYPE.jwt)
    return fail('content_type_unknown', `content-type is neither ${CONTENT_TYPE.json} nor ${CONTENT_TYPE.jwt}`);
  const bytes = mediaType === CONTENT_TYPE.jwt && value != null ? jwtClaims(value) : value;
  if (bytes === undefined) return fail('jwt_malformed', 'the value is not a JWT of three parts');
  const claims = parseJsonObject(bytes);
  return claims.ok ? parseSet(claims.value) : claims;
}

const JWT = /^[\w-]+\.([\w-]+)\.[\w-]*$/;

function jwtClaims(value: Uint8Array): Uint8Array | undefined {
  const payload = JWT.exec(Buffer.from(value).toString('latin1'))?.[1];
  return payload === undefined ? undefined : Buffer.from(payload, 'base64url');
}
