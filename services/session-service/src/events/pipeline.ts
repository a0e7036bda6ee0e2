import { type EffectRule, isCanary, sessionOfScope, sessionScope, type Tick, TOPICS } from '@curfew/contracts';
import { ATTR, contextOfHeaders, endWithError, startProcessSpan, startStoreSpan } from '@curfew/telemetry';
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, type Span, TraceFlags, trace } from '@opentelemetry/api';
import type { Revocation } from '../receipts/revocation.ts';
import { rolesGiven } from '../sessions/standing.ts';
import type { SessionStore } from '../store/session-store.ts';
import type { AppliedVersion, Change, VersionStore } from '../store/version-store.ts';
import type { Announcement, Bus } from './bus.ts';
import { headerOf, type LogRecord } from './log-record.ts';
import { planOf, type Step } from './plan.ts';

export interface PipelineOptions {
  readonly versions: VersionStore;
  readonly sessions: SessionStore;
  readonly bus: Bus;
  readonly partitions: number;
  readonly rules: readonly EffectRule[];
  /** Hears of each record that was done with. */
  readonly onRecord: (step: Step) => void;
  /** Hears of the events of a batch that were understood, once what they changed is announced. */
  readonly onAnnounced: (announced: readonly AnnouncedEvent[]) => void;
  readonly warn: (message: string, error: unknown) => void;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
}

/** An event that was announced, and the span that it is processed in. */
export interface AnnouncedEvent {
  readonly revocation: Revocation;
  readonly span: Span;
}

/** A step while it is under way: its effects, those of devices resolved to sessions, and its span. */
interface Work {
  readonly step: Step;
  effects: Step['effects'];
  readonly span: Span;
}

/** A tick's span records nothing: twice a second in every partition, ticks would drown the traces. */
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/**
 * Takes a batch of one partition's account events through the whole way: fold into Redis, spare the sessions that are
 * to be kept, announce, keep aside. It may be run again from the start at any point: every step is idempotent, and the
 * caller commits the batch only after it resolved.
 */
export class Pipeline {
  readonly #options: PipelineOptions;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /**
   * @param known the position that the partition is known to have in the store.
   * @returns the position after the batch.
   * @throws RollbackError where the store has lost writes; CurfewError `store_unavailable`; what the bus throws.
   */
  async process(partition: number, known: number, records: readonly LogRecord[]): Promise<number> {
    const last = records.at(-1)?.offset ?? known;
    const works: Work[] = [];
    try {
      for (const record of records) works.push(this.#begin(record));
      await Promise.all(works.map((work) => this.#resolveDevices(work)));
      const tick = newestTick(works);
      const applied = await this.#apply(partition, known, last, works, tick?.tick);
      const appliedAt = this.#options.now();
      await this.#spare(applied);
      await this.#options.bus.announce(partition, applied.map(announcementOf), tick);
      this.#tell(announcedEvents(works, applied, appliedAt, this.#options.now()));
      await this.#removeEnded(applied);
      await this.#keepAside(works);
    } catch (error) {
      for (const { span } of works) endWithError(span, error);
      throw error;
    }
    for (const { step, span } of works) {
      span.end();
      this.#options.onRecord(step);
    }
    return last;
  }

  #begin(record: LogRecord): Work {
    const step = planOf(record, this.#options.partitions, this.#options.rules);
    if (step.tick !== undefined) return { step, effects: [], span: NO_SPAN };
    const place = { topic: TOPICS.accountEvents, partition: record.partition, offset: record.offset };
    const span = startProcessSpan(
      place,
      contextOfHeaders((name) => headerOf(record, name)),
    );
    return { step, effects: step.effects, span };
  }

  /** An event about a device ends the sessions that are on it now, each by a tombstone. */
  async #resolveDevices(work: Work): Promise<void> {
    const effects = work.step.effects.map(async (effect) => {
      const { device, keeps, ...ending } = effect;
      if (device === undefined) return [effect];
      const sessions = await this.#options.sessions.ofSubject(work.step.subject);
      // What is excepted gets no tombstone, and no lift either: its user's version says whether it still holds.
      const there = sessions.filter((session) => session.device === device && session.sid !== keeps);
      return there.map(({ sid }) => ({ ...ending, scope: sessionScope(sid) }));
    });
    work.effects = (await Promise.all(effects)).flat();
  }

  async #apply(partition: number, known: number, last: number, works: readonly Work[], tick = 0): Promise<Applied[]> {
    const pending = works.flatMap((work) =>
      work.effects.map((effect) => ({ work, effect, change: changeOf(work.step, effect) })),
    );
    const spans = foldSpans(works);
    try {
      const versions = await this.#options.versions.apply(
        partition,
        known,
        last,
        pending.map(({ change }) => change),
        tick,
      );
      return pending.flatMap((one, i) => {
        const version = versions[i];
        // Run again, a device's event also finds sessions made since it was applied. It has not ended those.
        return version?.applied || version?.current ? [{ ...one, version }] : [];
      });
    } finally {
      for (const span of spans) span.end();
    }
  }

  /** Before the announcement, so that a client whose token it ends can refresh at once. */
  async #spare(applied: readonly Applied[]): Promise<void> {
    const { versions, sessions } = this.#options;
    for (const { effect, change, version, work } of applied) {
      if (effect.keeps === undefined) continue;
      // An event that was applied before returns the version of now, which a later event may have raised to end this
      // very session; its own version was at least its time.
      const kept = version.applied ? version.current : change.time;
      // Lifted, it may never renew: what it has yet to take on of an earlier claims change comes with the lift.
      const given = rolesGiven(await versions.read(work.step.subject));
      await sessions.keep(effect.keeps, work.step.subject, kept, version.floorBefore, given);
    }
  }

  /** What is only told of an event must not have its batch run again. */
  #tell(events: readonly AnnouncedEvent[]): void {
    if (events.length === 0) return;
    try {
      this.#options.onAnnounced(events);
    } catch (error) {
      this.#options.warn('revocations are not reported on', error);
    }
  }

  /** After the announcement: run again, a device's event must find the same sessions. */
  async #removeEnded(applied: readonly Applied[]): Promise<void> {
    for (const { effect, work } of applied) {
      const sid = sessionOfScope(effect.scope);
      if (sid !== undefined) await this.#options.sessions.remove(sid, work.step.subject);
    }
  }

  async #keepAside(works: readonly Work[]): Promise<void> {
    for (const { step } of works) {
      if (step.rejected !== undefined) await this.#options.bus.setAside(step.record, step.rejected);
      if (step.belongsIn !== undefined) await this.#options.bus.forward(step.record, step.belongsIn);
    }
  }
}

/** One command folds the whole batch: a span in the trace of each event, the first of them linked with the others and back. */
function foldSpans(works: readonly Work[]): Span[] {
  const causes = works.filter(({ span }) => span !== NO_SPAN);
  const spans = causes.map(({ span }) => startStoreSpan('EVALSHA', trace.setSpan(ROOT_CONTEXT, span)));
  const [first, ...others] = spans;
  for (const other of others) {
    first?.addLink({ context: other.spanContext() });
    other.addLink({ context: first?.spanContext() ?? INVALID_SPAN_CONTEXT });
  }
  if (others.length > 0) for (const span of spans) span.setAttribute(ATTR.messagingBatch, spans.length);
  return spans;
}

interface Applied {
  readonly work: Work;
  readonly effect: Work['effects'][number];
  readonly change: Change;
  readonly version: AppliedVersion;
}

/** The tick that vouches for most: everything before it in the log is older than the batch, or in it. */
function newestTick(works: readonly Work[]): Tick | undefined {
  let newest: Tick | undefined;
  for (const { step } of works)
    if (step.tick !== undefined && step.tick >= (newest?.tick ?? 0))
      newest = { kind: 'tick', tick: step.tick, offset: step.record.offset };
  return newest;
}

/** Anything else cannot be a role; nested deeply enough, it could not even be written. */
const isString = (role: unknown) => typeof role === 'string';

const changeOf = ({ record }: Step, { scope, raise, blocked, claims }: Work['effects'][number]): Change => ({
  scope,
  offset: record.offset,
  time: record.timestamp,
  ends: raise === 'floor',
  ...(blocked === undefined ? {} : { blocked }),
  // Of the claims that an event may bring, sessions carry the roles; a change of others alone leaves the roles as they are.
  ...(Array.isArray(claims?.['roles']) ? { claims: JSON.stringify({ roles: claims['roles'].filter(isString) }) } : {}),
});

const announcementOf = ({ work, effect, version }: Applied): Announcement => ({
  record: {
    kind: 'version',
    scope: effect.scope,
    current: version.current,
    floor: version.floor,
    at: work.step.record.timestamp,
    why: effect.why,
    id: work.step.id,
    offset: work.step.record.offset,
    ...(version.blocked ? { blocked: true } : {}),
  },
  cause: work.span,
});

/** By event: one may have changed several scopes, or none, as a credential that is created. */
function announcedEvents(
  works: readonly Work[],
  applied: readonly Applied[],
  appliedAt: number,
  announcedAt: number,
): AnnouncedEvent[] {
  const byWork = Map.groupBy(applied, ({ work }) => work);
  return works.flatMap((work) => {
    const { step, span } = work;
    const changes = byWork.get(work) ?? [];
    const isUnderstood = step.id !== '' && step.rejected === undefined && step.belongsIn === undefined;
    if (changes.length === 0 && (step.effects.length > 0 || !isUnderstood)) return [];
    const { traceId, traceFlags } = span.spanContext();
    const { partition, offset, timestamp: at } = step.record;
    const revocation = {
      id: step.id,
      partition,
      offset,
      at,
      // What another attempt has applied, nobody knows when.
      ...(changes.every(({ version }) => version.applied) ? { appliedAt } : {}),
      announcedAt,
      why: changes[0]?.effect.why ?? step.why,
      scopes: changes.map(({ effect }) => effect.scope),
      ...(traceFlags & TraceFlags.SAMPLED ? { traceId } : {}),
      ...(isCanary(step.subject) ? { canary: true as const } : {}),
    };
    return { revocation, span };
  });
}
