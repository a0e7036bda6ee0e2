import { fail, ok, type Result } from './result.ts';

/** An object of JSON, its members not yet looked at. */
export interface JsonObject {
  readonly [member: string]: unknown;
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

export const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);

/** A count, a version or an offset: an integer that a double holds exactly. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** 9999-12-31T23:59:59.999Z, ms since the epoch: RFC 3339 has words for no later time, and `Date` for few. */
const LAST_TIME = 253_402_300_799_999;

/** A time that can be told, ms since the epoch. */
export const isTime = (value: unknown): value is number => isCount(value) && value <= LAST_TIME;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Largest value that is parsed; a SET or a version record is well below 2 KiB. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Bytes to an object of JSON. Never throws. */
export function parseJsonObject(
  bytes: Uint8Array | null | undefined,
  maxBytes: number = MAX_VALUE_BYTES,
): Result<JsonObject> {
  if (bytes == null) return fail('value_missing', 'the record has no value');
  if (bytes.byteLength > maxBytes)
    return fail('value_too_large', `${bytes.byteLength} bytes; at most ${maxBytes} are read`);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    return fail('json_malformed', 'the value is not UTF-8 JSON');
  }
  return isJsonObject(value) ? ok(value) : fail('json_malformed', 'the value is JSON, but not an object');
}

export const encodeJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
