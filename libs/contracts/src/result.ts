/** What parsing untrusted input gives: a value, or an error code with a sentence for the person who reads it. */
export type Result<T> = { readonly ok: true; readonly value: T } | Failure;

export interface Failure {
  readonly ok: false;
  readonly code: ParseErrorCode;
  readonly detail: string;
}

/** Why a record or a body could not be understood. Stable: they stand in headers, in metrics and in tests. */
export type ParseErrorCode =
  | 'value_missing'
  | 'value_too_large'
  | 'json_malformed'
  | 'content_type_unknown'
  | 'jwt_malformed'
  | 'set_invalid'
  | 'subject_invalid'
  | 'subject_format_unknown'
  | 'event_type_unknown'
  | 'record_invalid'
  | 'claims_invalid'
  | 'session_record_invalid';

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const fail = (code: ParseErrorCode, detail: string): Failure => ({ ok: false, code, detail });
