import { type RefusalCode, refusalOf } from './refusal.ts';
import type { ParseErrorCode } from './result.ts';

/**
 * Every error that a caller of Curfew can see: its stable code, the HTTP status that goes with it, and a title
 * (RFC 9457). Tests and clients rely on the code, never on the text.
 */
export const ERRORS = {
  session_revoked: { status: 401, title: 'The session was ended. Sign in again.' },
  session_stale: { status: 401, title: 'The session must be renewed. Refresh it, then try again.' },
  refresh_token_reused: {
    status: 401,
    title: 'The refresh token was used before. All tokens of its session are void. Sign in again.',
  },
  session_expired: { status: 401, title: 'The token has expired. Refresh the session, then try again.' },
  session_invalid: { status: 401, title: 'No valid session came with the request.' },
  view_stale: { status: 503, title: 'Whether the session is still valid cannot be proven right now. Try again.' },
  insufficient_user_authentication: { status: 401, title: 'This needs a stronger or a more recent sign-in.' },
  cross_site_request: { status: 403, title: 'The request with a session cookie comes from another site.' },
  refresh_token_invalid: { status: 401, title: 'The refresh token is not valid. Sign in again.' },
  client_unauthenticated: {
    status: 401,
    title: 'No credential of a client that this service knows came with the request.',
  },
  scope_insufficient: { status: 403, title: 'The caller may not do this.' },
  rate_limited: { status: 429, title: 'Too many requests. Try again later.' },
  account_disabled: { status: 403, title: 'The account is disabled.' },
  subject_changed: {
    status: 409,
    title: 'The account changed since its version was read. Check the credential again.',
  },
  subject_mismatch: { status: 409, title: 'The session that is shown is of another account.' },
  not_applied_yet: { status: 504, title: 'The event to wait for is not applied yet. Try again.' },
  too_many_sessions: { status: 409, title: 'The account has as many sessions as it may have.' },
  session_record_too_large: { status: 413, title: 'The session would be larger than a session may be.' },
  session_not_found: { status: 404, title: 'There is no such session.' },
  revocation_not_found: { status: 404, title: 'There is no such revocation, or it is kept no longer.' },
  route_not_found: { status: 404, title: 'There is no such route.' },
  request_invalid: { status: 400, title: 'The request is not HTTP, or its address cannot be read.' },
  request_timeout: { status: 408, title: 'The request did not arrive in time.' },
  headers_too_large: { status: 431, title: 'The headers of the request are too large.' },
  body_invalid: { status: 400, title: 'The request does not have the form that this route takes.' },
  body_too_large: { status: 413, title: 'The request body is too large.' },
  media_type_unsupported: { status: 415, title: 'The request body is of a media type that this route does not take.' },
  set_rejected: { status: 400, title: 'The Security Event Token cannot be understood.' },
  bus_unavailable: { status: 503, title: 'Kafka does not acknowledge. Try again.' },
  store_unavailable: { status: 503, title: 'Redis does not answer. Try again.' },
  upstream_unavailable: { status: 502, title: 'A service behind this one does not answer.' },
  not_ready: { status: 503, title: 'The service is not ready yet.' },
  internal: { status: 500, title: 'The service failed. Its log says why.' },
  option_invalid: { status: 500, title: 'An option or an environment variable has a value that cannot be used.' },
  topic_mismatch: { status: 500, title: 'A topic exists with another shape than Curfew needs.' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a stable code. `detail` says what happened and what to do; it never holds a token or an id. */
export class CurfewError extends Error {
  override readonly name = 'CurfewError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;
  /** Which rule of the SET was broken (`set_rejected`), or why Kafka or Redis turns this client away. */
  readonly reason: ParseErrorCode | RefusalCode | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: { cause?: unknown; retryAfter?: number; reason?: ParseErrorCode | RefusalCode } = {},
  ) {
    super(
      `${code}: ${detail ?? ERRORS[code].title}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.detail = detail;
    this.retryAfter = options.retryAfter;
    this.reason = options.reason;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** Where an error of a client of Kafka means that it is turned away: `bus_unavailable`, with the reason. */
export function kafkaRefusal(cause: unknown): CurfewError | undefined {
  const refusal = refusalOf(cause);
  return refusal && new CurfewError('bus_unavailable', `Kafka: ${refusal.says}`, { cause, reason: refusal.code });
}

/** The same of Redis, `store_unavailable`, without the client's own error: that quotes keys, values and passwords. */
export function redisRefusal(error: unknown): CurfewError | undefined {
  const refusal = refusalOf(error);
  return refusal && new CurfewError('store_unavailable', `Redis: ${refusal.says}`, { reason: refusal.code });
}

/** The body of an error response, `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  /** As `CurfewError` has it. */
  readonly reason?: ParseErrorCode | RefusalCode;
}

export const problemOf = (code: ErrorCode, detail?: string, reason?: ParseErrorCode | RefusalCode): Problem => ({
  type: 'about:blank',
  ...ERRORS[code],
  code,
  ...(detail === undefined ? {} : { detail }),
  ...(reason === undefined ? {} : { reason }),
});

/** The challenge of the error codes that have one of their own (RFC 9110, section 11.6.1). */
const CHALLENGES: Partial<Record<ErrorCode, string>> = {
  client_unauthenticated: 'Basic realm="curfew", Bearer',
  scope_insufficient: 'Bearer error="insufficient_scope"',
  insufficient_user_authentication: 'Bearer error="insufficient_user_authentication"',
};

/**
 * The headers of an error response: its media type, and the challenge that RFC 6750 asks for with a 401 (a request
 * without any credential gets the bare scheme), or when to try again.
 */
export function problemHeaders(code: ErrorCode, credentialSent = true, retryAfter = 1): Record<string, string> {
  const { status } = ERRORS[code];
  const bearer = credentialSent ? 'Bearer error="invalid_token"' : 'Bearer';
  const challenge = CHALLENGES[code] ?? (status === 401 ? bearer : undefined);
  return {
    'content-type': 'application/problem+json',
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(status === 429 || status === 503 ? { 'retry-after': String(retryAfter) } : {}),
  };
}
