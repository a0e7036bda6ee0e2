/** Why Kafka or Redis turns this client away, or this client them; and what to do. */
export const REFUSALS = {
  credentials_refused: 'the user or the password is wrong',
  right_missing: 'the user lacks a right that this part needs',
  certificate_expired: 'its certificate has expired, or is not valid yet',
  certificate_untrusted: 'its certificate is of an authority that is not trusted here: name that as the CA',
  certificate_misnamed: 'its certificate is for another name than the one it is reached by',
  certificate_refused: 'it wants a certificate of this client that it trusts: there is none, or one that has expired',
  tls_mismatch: 'one side speaks TLS and the other does not, or the connection broke off as TLS began',
} as const;

/** Stable: they stand in problems, in `/readyz`, in the log and in tests. docs/managed.md has more of each. */
export type RefusalCode = keyof typeof REFUSALS;

export interface Refusal {
  readonly code: RefusalCode;
  /** The code, what it means, and what it is called there. */
  readonly says: string;
}

/** What clients and Node's TLS call it: codes, types and names of errors, and how a message of Redis begins. */
const SIGNS: readonly (readonly [RefusalCode, RegExp])[] = [
  [
    'credentials_refused',
    /^(WRONGPASS|NOAUTH|SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL_MECHANISM|KafkaJSSASLAuthenticationError)\b/,
  ],
  [
    'right_missing',
    /^(NOPERM\b|(TOPIC|GROUP|CLUSTER|TRANSACTIONAL_ID)_AUTHORIZATION_FAILED$|ERR (ACL failure in script|The user executing the script can't ))/,
  ],
  ['certificate_expired', /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/],
  [
    'certificate_untrusted',
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|CERT_(UNTRUSTED|SIGNATURE_FAILURE))$/,
  ],
  ['certificate_misnamed', /^ERR_TLS_CERT_ALTNAME_INVALID$/],
  ['certificate_refused', /^ERR_SSL_[\w/]*ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|HANDSHAKE_FAILURE)$/],
  [
    'tls_mismatch',
    /^(ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$|Broker requires TLS|.*disconnected before secure TLS)/,
  ],
];

/** What of an error of any client may say why; errors hold others, and two of one client's each other. */
interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly apiId?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly lastNodeError?: unknown;
}

/** Whether an error of a client means that Kafka or Redis answered, and will not have this client as it is. */
export function refusalOf(error: unknown, depth = 0): Refusal | undefined {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return undefined;
  const { name, message, code: given, type, apiId, cause, errors, lastNodeError } = error as ErrorLike;
  const texts = [given, type, apiId, name, message].filter((text) => typeof text === 'string');
  for (const [code, sign] of SIGNS)
    for (const text of texts) {
      const [found] = sign.exec(text) ?? [];
      if (found !== undefined) return { code, says: `${code}: ${REFUSALS[code]} (${found.trim()})` };
    }
  for (const inner of [cause, lastNodeError, ...(Array.isArray(errors) ? errors : [])]) {
    const found = refusalOf(inner, depth + 1);
    if (found) return found;
  }
  return undefined;
}

const MAX_DEPTH = 8;
