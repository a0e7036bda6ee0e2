import { encodeJson, isCount, isJsonObject, isText, isTime, parseJsonObject } from './json.ts';
import { fail, ok, type Result } from './result.ts';

/** What state a sidecar says it is in. `closed` is the last one: it is counted no more. */
export type ReceiptState = (typeof RECEIPT_STATES)[number];

export const RECEIPT_STATES = ['starting', 'live', 'behind', 'cut-off', 'closed'] as const;

/** A sidecar's report of what it has applied, under its `instance` as key. Times are in ms since the epoch, by its clock. */
export interface Receipt {
  readonly service: string;
  readonly instance: string;
  readonly state: ReceiptState;
  /** When it was written. */
  readonly at: number;
  readonly startedAt: number;
  /**
   * The sidecar's bound, ms, up to `MAX_VIEW_AGE_MS`: so long after this receipt it accepts nothing any more that it has not
   * confirmed since.
   */
  readonly boundMs: number;
  /** By partition; none before the topic is known. */
  readonly partitions: readonly ReceiptPartition[];
  /** Account events applied since the last receipt, at most `MAX_APPLIED`; of more than that `partitions` tells. */
  readonly applied: readonly AppliedEvent[];
}

/** How far session-versions was applied in one partition. */
export interface ReceiptPartition {
  /** Offset in account-events of the version record or tick applied last; -1 before the first. */
  readonly offset: number;
  /** The newest tick applied, as it was stamped; 0 before the first. */
  readonly tick: number;
  /** Age of the view, the skew included, ms. */
  readonly ageMs: number;
}

export interface AppliedEvent {
  /** The event's jti. */
  readonly id: string;
  readonly partition: number;
  /** The event's offset in account-events. */
  readonly offset: number;
  /** When it was applied. */
  readonly at: number;
  /** Since when requests were looked at: as it reckons, a little before the event was acknowledged. */
  readonly since: number;
  /** Requests accepted between its acknowledgement and its application, of sessions that it ends or makes stale. */
  readonly exposed: number;
  /** There may have been more: so far back the sidecar does not remember, or one came as the event was acknowledged. */
  readonly atLeast?: true;
}

/** Most events that a receipt names. */
export const MAX_APPLIED = 100;

/** Longest bound that a sidecar may have, ms: a day. */
export const MAX_VIEW_AGE_MS = 86_400_000;

/** What a receipt of a thousand partitions, or of a hundred events with long ids, stays below. */
const MAX_RECEIPT_BYTES = 512 * 1024;

/** The key and the value of a record of receipts. */
export const encodeReceipt = (receipt: Receipt): { key: string; value: Buffer } => ({
  key: receipt.instance,
  value: encodeJson(receipt),
});

/** Reads the value of a record of receipts. Never throws. */
export function decodeReceipt(value: Uint8Array | null | undefined): Result<Receipt> {
  const parsed = parseJsonObject(value, MAX_RECEIPT_BYTES);
  if (!parsed.ok) return parsed;
  const { service, instance, state, at, startedAt, boundMs, partitions, applied } = parsed.value;
  if (!isText(service) || !isText(instance)) return fail('record_invalid', 'service or instance is missing');
  const known = RECEIPT_STATES.find((one) => one === state);
  if (known === undefined) return fail('record_invalid', 'state is none of a sidecar');
  if (!isTime(at) || !isTime(startedAt) || startedAt > at)
    return fail('record_invalid', 'at or startedAt is not a time in ms, or it began only later');
  if (!isCount(boundMs) || boundMs === 0 || boundMs > MAX_VIEW_AGE_MS)
    return fail('record_invalid', `boundMs is not 1 to ${MAX_VIEW_AGE_MS}`);
  const places = readAll(partitions, readPartition);
  if (places === undefined) return fail('record_invalid', 'partitions is not a list of offset, tick and ageMs');
  const events = readAll(applied, (item) => readApplied(item, at));
  if (events === undefined || events.length > MAX_APPLIED)
    return fail('record_invalid', `applied is not a list of at most ${MAX_APPLIED} events`);
  return ok({ service, instance, state: known, at, startedAt, boundMs, partitions: places, applied: events });
}

/** Undefined where it is no list, or one of its items is not what it should be. */
function readAll<T>(list: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const items = list.map(read);
  return items.includes(undefined) ? undefined : (items as T[]);
}

function readPartition(item: unknown): ReceiptPartition | undefined {
  if (!isJsonObject(item)) return undefined;
  const { offset, tick, ageMs } = item;
  return (isCount(offset) || offset === -1) && isTime(tick) && isCount(ageMs) ? { offset, tick, ageMs } : undefined;
}

/** @param saidAt the receipt's own time: what it names was applied by then. */
function readApplied(item: unknown, saidAt: number): AppliedEvent | undefined {
  if (!isJsonObject(item)) return undefined;
  const { id, partition, offset, at, since, exposed, atLeast } = item;
  if (!isText(id) || !isCount(partition) || !isCount(offset)) return undefined;
  if (!isTime(at) || at > saidAt || !isCount(since) || !isCount(exposed)) return undefined;
  const event = { id, partition, offset, at, since, exposed };
  return atLeast === true ? { ...event, atLeast } : event;
}
