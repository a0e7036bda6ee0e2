import {
  decodeLogTick,
  decodeSet,
  type Effect,
  type EffectRule,
  effectsOf,
  type ParseErrorCode,
  partitionOf,
  recordKeyOf,
  shortType,
  subjectOf,
} from '@curfew/contracts';
import { headerOf, type LogRecord } from './log-record.ts';

/** What is to be done with one record of the log. */
export interface Step {
  readonly record: LogRecord;
  /** Version changes, in order; none for a record that cannot be understood or lies in the wrong partition. */
  readonly effects: readonly Effect[];
  /** The SET's jti and the subject that it names; empty where there is none. */
  readonly id: string;
  readonly subject: string;
  /** Its first event type in short. */
  readonly why: string;
  /** Why the record is to be kept aside. */
  readonly rejected?: ParseErrorCode;
  /** The partition that the record belongs in, where it lies in another. */
  readonly belongsIn?: number;
  /** The record is a tick, stamped at this time, ms since the epoch. */
  readonly tick?: number;
}

const NOBODY = { id: '', subject: '', why: '' };

/**
 * Reads one record. Pure: what follows from it, but the versions themselves, is a function of the record alone. A SET
 * with a known and an unknown event type has its effect, and is kept aside as well.
 */
export function planOf(record: LogRecord, partitions: number, rules: readonly EffectRule[]): Step {
  const tick = decodeLogTick(record.key, record.value);
  if (tick !== undefined) return { record, effects: [], ...NOBODY, tick };

  const set = decodeSet(record.value, headerOf(record, 'content-type'));
  if (!set.ok) return { record, effects: [], ...NOBODY, rejected: set.code };

  const subject = recordKeyOf(subjectOf(set.value.sub_id));
  const partition = partitionOf(subject, partitions);
  const [type = ''] = Object.keys(set.value.events);
  const about = { record, id: set.value.jti, subject, why: shortType(type) };
  if (partition !== record.partition) return { ...about, effects: [], belongsIn: partition };

  const { effects, unknownTypes } = effectsOf(set.value, rules);
  return { ...about, effects, ...(unknownTypes.length > 0 ? { rejected: 'event_type_unknown' } : {}) };
}
