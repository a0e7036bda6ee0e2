import { CAEP, EFFECT_RULES, encodeLogTick, RISC, type SecurityEventToken, type Tick } from '@curfew/contracts';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Announcement, Bus } from '../../../services/session-service/src/events/bus.ts';
import type { LogRecord } from '../../../services/session-service/src/events/log-record.ts';
import { Pipeline } from '../../../services/session-service/src/events/pipeline.ts';
import type { Revocation } from '../../../services/session-service/src/receipts/revocation.ts';
import { opaque, PARTITIONS, recordOf, setOf } from '../../support/account-event-records.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { MemoryVersions } from '../../support/memory-stores.ts';
import { recordSpans } from '../../support/recorded-spans.ts';
import { sessionRecord } from '../../support/session-records.ts';

const partition = recordOf('alice', '').partition;

/** A bus that remembers, and fails when `fails` says so. */
class MemoryBus implements Bus {
  readonly announced: Announcement['record'][] = [];
  readonly aside: [LogRecord, string][] = [];
  readonly forwarded: [LogRecord, number][] = [];
  fails: () => boolean = () => false;

  /** Per tick that was forwarded, how many announcements were before it. */
  readonly ticks: [Tick, number][] = [];

  async announce(_partition: number, announcements: readonly Announcement[], tick?: Tick): Promise<void> {
    this.#mayFail();
    this.announced.push(...announcements.map(({ record }) => record));
    if (tick) this.ticks.push([tick, this.announced.length]);
  }
  async tick(): Promise<void> {}
  async setAside(record: LogRecord, error: string): Promise<void> {
    this.#mayFail();
    this.aside.push([record, error]);
  }
  async forward(record: LogRecord, to: number): Promise<void> {
    this.#mayFail();
    this.forwarded.push([record, to]);
  }
  #mayFail(): void {
    if (this.fails()) throw new Error('the bus is away');
  }
}

let versions: MemoryVersions;
let sessions: MemorySessions;
let bus: MemoryBus;
let pipeline: Pipeline;
let announced: Revocation[];
/** What hears of announcements throws it. */
let broken: Error | undefined;
const warn = vi.fn();
let now: number;

beforeEach(() => {
  versions = new MemoryVersions();
  sessions = new MemorySessions();
  bus = new MemoryBus();
  announced = [];
  broken = undefined;
  warn.mockClear();
  now = 10_000;
  pipeline = new Pipeline({
    versions,
    sessions,
    bus,
    partitions: PARTITIONS,
    rules: EFFECT_RULES,
    onRecord: () => {},
    onAnnounced: (events) => {
      if (broken) throw broken;
      announced.push(...events.map(({ revocation }) => revocation));
    },
    warn,
    now: () => now++,
  });
});

const event = (offset: number, set: SecurityEventToken, timestamp = 1000 + offset) =>
  recordOf('alice', set, { offset, timestamp });
const disabled = setOf(`${RISC}account-disabled`, opaque('alice'));
const rolesChanged = setOf(`${CAEP}token-claims-change`, opaque('alice'), { claims: { roles: ['viewer'] } });

const tickOf = (offset: number, tick: number) => {
  const { key, value } = encodeLogTick(tick);
  return { ...recordOf('alice', value, { offset }), key: Buffer.from(key) };
};

const session = (sid: string, device = 'laptop') => sessions.create(sessionRecord({ sid, device }));

describe('the pipeline', () => {
  test('folds the events of a batch in their order, and announces each with its event', async () => {
    await pipeline.process(partition, -1, [event(3, disabled, 5000), event(4, rolesChanged, 5000)]);
    expect(bus.announced).toEqual([
      {
        kind: 'version',
        scope: 'u:alice',
        current: 5000,
        floor: 5000,
        at: 5000,
        why: 'risc/account-disabled',
        id: disabled.jti,
        offset: 3,
        blocked: true,
      },
      expect.objectContaining({ current: 5001, floor: 5000, offset: 4 }),
    ]);
    expect(await versions.position(partition)).toBe(4);
  });

  test('a batch that was applied before is announced again, with the versions of now', async () => {
    await pipeline.process(partition, -1, [event(0, disabled)]);
    await pipeline.process(partition, 0, [event(0, disabled)]);
    expect(bus.announced).toHaveLength(2);
    expect(bus.announced[1]).toEqual(bus.announced[0]);
  });

  test('keeps aside what cannot be understood, forwards what lies wrong, and moves the position past both', async () => {
    const malformed = recordOf('alice', Buffer.from('{'), { offset: 0 });
    const misplaced = recordOf('alice', setOf(`${RISC}account-disabled`, opaque('bob')), { offset: 1 });
    await pipeline.process(partition, -1, [malformed, misplaced]);
    expect(bus.aside).toEqual([[malformed, 'json_malformed']]);
    expect(bus.forwarded).toEqual([[misplaced, recordOf('bob', '').partition]]);
    expect(await versions.position(partition)).toBe(1);
    expect(bus.announced).toEqual([]);
  });

  test('a password change that names a session spares that session in the store, and no other', async () => {
    await session('kept');
    await session('other');
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      session: opaque('kept'),
    } as SecurityEventToken['sub_id'];
    await pipeline.process(partition, -1, [event(0, setOf(`${CAEP}credential-change`, subject), 7000)]);
    expect(sessions.records.get('kept')?.s).toBe(7000);
    expect(sessions.records.get('other')?.s).toBe(0);
  });

  const named = { format: 'complex', user: opaque('alice'), session: opaque('kept') } as SecurityEventToken['sub_id'];
  const passwordChanged = setOf(`${CAEP}credential-change`, named);

  test.each([
    ['in the same batch', 1],
    ['in a batch of its own', 2],
  ])('a session that is spared takes on the roles of a change before it, %s', async (_where, batches) => {
    await session('kept');
    const records = [event(0, rolesChanged, 6000), event(1, passwordChanged, 7000)];
    for (let i = 0; i < batches; i++)
      await pipeline.process(partition, i - 1, batches === 1 ? records : records.slice(i, i + 1));
    const lifted = { s: 7000, roles: ['viewer'], rolesAt: 6000 };
    expect(sessions.records.get('kept')).toMatchObject(lifted);
    await pipeline.process(partition, 1, records);
    expect(sessions.records.get('kept')).toMatchObject(lifted);
  });

  test('a session that is spared keeps roles that are newer than the newest change, and has yet to renew for a later one', async () => {
    await sessions.create(sessionRecord({ sid: 'kept', roles: ['owner'], s: 6500, rolesAt: 6500 }));
    await pipeline.process(partition, -1, [event(0, rolesChanged, 6000), event(1, passwordChanged, 7000)]);
    expect(sessions.records.get('kept')).toMatchObject({ s: 7000, roles: ['owner'] });
    await pipeline.process(partition, 1, [event(2, passwordChanged, 8000), event(3, rolesChanged, 9000)]);
    expect(sessions.records.get('kept')?.s).toBe(8000);
    expect((await versions.read('alice')).subject).toEqual({ current: 9000, floor: 8000 });
  });

  test('only an event that spares a session asks for the claims of its subject', async () => {
    const read = vi.spyOn(versions, 'read');
    await pipeline.process(partition, -1, [event(0, disabled), event(1, rolesChanged)]);
    expect(read).not.toHaveBeenCalled();
    await pipeline.process(partition, 1, [event(2, passwordChanged)]);
    expect(read).toHaveBeenCalledExactlyOnceWith('alice');
  });

  test('roles nested more deeply than can be written again do not stop the partition: they are no roles', async () => {
    const roles = `["viewer",${'['.repeat(20_000)}${']'.repeat(20_000)}]`;
    const value = Buffer.from(JSON.stringify(rolesChanged).replace('["viewer"]', roles));
    await pipeline.process(partition, -1, [
      recordOf('alice', value, { offset: 0, timestamp: 1000 }),
      event(1, disabled),
    ]);
    expect((await versions.read('alice')).claims).toEqual({ json: '{"roles":["viewer"]}', since: 1000 });
    expect(bus.announced).toHaveLength(2);
  });

  test('a claims change that brings no roles leaves those of an earlier one', async () => {
    const department = setOf(`${CAEP}token-claims-change`, opaque('alice'), { claims: { department: 'sales' } });
    await pipeline.process(partition, -1, [event(0, rolesChanged), event(1, department)]);
    expect((await versions.read('alice')).claims).toEqual({ json: '{"roles":["viewer"]}', since: 1000 });
  });

  test('a replayed password change does not lift the session that it spared over a later end', async () => {
    await session('kept');
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      session: opaque('kept'),
    } as SecurityEventToken['sub_id'];
    const change = event(0, setOf(`${CAEP}credential-change`, subject), 7000);
    await pipeline.process(partition, -1, [change, event(1, disabled, 8000)]);
    await pipeline.process(partition, 1, [change]);
    expect(sessions.records.get('kept')?.s).toBe(7000);
  });

  test('a device out of compliance ends the sessions of that device, each by a tombstone, and its user renews', async () => {
    await session('a', 'laptop');
    await session('b', 'phone');
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      device: opaque('phone'),
    } as SecurityEventToken['sub_id'];
    const payload = { current_status: 'not-compliant' };
    await pipeline.process(partition, -1, [event(0, setOf(`${CAEP}device-compliance-change`, subject, payload))]);
    expect(bus.announced.map(({ scope }) => scope)).toEqual(['s:b', 'u:alice']);
    expect([...sessions.records.keys()]).toEqual(['a']);
  });

  test('a session that is excepted where those of its device are revoked gets no tombstone, and comes back by no lift', async () => {
    await session('excepted', 'phone');
    await session('there', 'phone');
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      device: opaque('phone'),
    } as SecurityEventToken['sub_id'];
    const revoked = setOf(`${CAEP}session-revoked`, subject, { except_session: 'excepted' });
    await pipeline.process(partition, -1, [event(0, disabled, 7000), event(1, revoked, 8000)]);
    expect(bus.announced.map(({ scope }) => scope)).toEqual(['u:alice', 's:there', 'u:alice']);
    expect(sessions.records.get('excepted')?.s).toBe(0);
  });

  test('a replayed device event ends no session that was made since', async () => {
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      device: opaque('phone'),
    } as SecurityEventToken['sub_id'];
    const lost = event(0, setOf(`${CAEP}device-compliance-change`, subject, { current_status: 'not-compliant' }));
    await pipeline.process(partition, -1, [lost]);
    await session('since', 'phone');
    bus.announced.length = 0;
    await pipeline.process(partition, 0, [lost]);
    expect(bus.announced.map(({ scope }) => scope)).toEqual(['u:alice']);
    expect([...sessions.records.keys()]).toEqual(['since']);
  });

  test('a password change spares no session that an earlier event has ended', async () => {
    await session('ended');
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      session: opaque('ended'),
    } as SecurityEventToken['sub_id'];
    const change = event(1, setOf(`${CAEP}credential-change`, subject), 8000);
    await pipeline.process(partition, -1, [event(0, disabled, 7000), change]);
    expect(sessions.records.get('ended')?.s).toBe(0);
  });

  test('stores the newest tick with the position, and forwards it behind the announcements', async () => {
    await pipeline.process(partition, -1, [tickOf(0, 900), event(1, disabled), tickOf(2, 990), tickOf(3, 980)]);
    expect(versions.ticks.get(partition)).toBe(990);
    expect(bus.ticks).toEqual([[{ kind: 'tick', tick: 990, offset: 2 }, 1]]);
    expect(bus.aside).toEqual([]);
  });

  test('tells what each event changed, and when: once for an event that changed several scopes', async () => {
    await session('a', 'phone');
    const subject = {
      format: 'complex',
      user: opaque('alice'),
      device: opaque('phone'),
    } as SecurityEventToken['sub_id'];
    const device = setOf(`${CAEP}device-compliance-change`, subject, { current_status: 'not-compliant' });
    const unknown = setOf('https://example.com/party', opaque('alice'));
    await pipeline.process(partition, -1, [event(3, disabled), event(4, device), event(5, unknown)]);
    const place = { partition, appliedAt: 10_000, announcedAt: 10_001 };
    expect(announced).toEqual([
      { ...place, id: disabled.jti, offset: 3, at: 1003, why: 'risc/account-disabled', scopes: ['u:alice'] },
      {
        ...place,
        id: device.jti,
        offset: 4,
        at: 1004,
        why: 'caep/device-compliance-change',
        scopes: ['s:a', 'u:alice'],
      },
    ]);
  });

  test('tells no time at which another attempt applied an event', async () => {
    bus.fails = () => true;
    await expect(pipeline.process(partition, -1, [event(0, disabled)])).rejects.toThrow();
    expect(announced).toEqual([]);
    bus.fails = () => false;
    await pipeline.process(partition, 0, [event(0, disabled)]);
    expect(announced).toMatchObject([{ id: disabled.jti, announcedAt: 10_002 }]);
    expect(announced[0]).not.toHaveProperty('appliedAt');
  });

  test('tells of an event that ends nothing, and of none that it cannot understand', async () => {
    const created = setOf(`${CAEP}credential-change`, opaque('alice'), { change_type: 'create' });
    const unknown = setOf('https://example.com/unknown', opaque('alice'));
    const bob = setOf(`${RISC}account-disabled`, opaque('bob'));
    const elsewhere = { ...recordOf('bob', bob, { offset: 2 }), partition };
    await pipeline.process(partition, -1, [event(0, created), event(1, unknown), elsewhere, tickOf(3, 5000)]);
    expect(announced).toMatchObject([{ id: created.jti, offset: 0, why: 'caep/credential-change', scopes: [] }]);
  });

  test('goes on where what is only told of an event fails, and says so', async () => {
    broken = new Error('a defect');
    expect(await pipeline.process(partition, -1, [event(0, disabled)])).toBe(0);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.any(String), broken);
    expect(bus.announced).toHaveLength(1);
  });

  test('tells a canary from the others', async () => {
    const canary = recordOf('curfew.canary.1', setOf(`${CAEP}session-revoked`, opaque('curfew.canary.1')));
    await pipeline.process(canary.partition, -1, [canary]);
    expect(announced).toMatchObject([{ canary: true, scopes: ['u:curfew.canary.1'] }]);
  });

  test('throws where the store has lost writes, and announces nothing', async () => {
    await pipeline.process(partition, -1, [event(0, disabled), event(1, disabled)]);
    versions.positions.set(partition, 0);
    bus.announced.length = 0;
    await expect(pipeline.process(partition, 1, [event(2, disabled)])).rejects.toMatchObject({ position: 0 });
    expect(bus.announced).toEqual([]);
  });

  test('law: however often it fails on the way and is run again, every event is announced, and versions are the same', async () => {
    const kinds = [disabled, rolesChanged, setOf(`${CAEP}session-revoked`, opaque('alice'))];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: kinds.length - 1 }), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.boolean()),
        async (choices, faults) => {
          const records = choices.map((kind, offset) => event(offset, kinds[kind] ?? disabled));
          const build = (faulty: boolean) => {
            const memory = { versions: new MemoryVersions(), sessions: new MemorySessions(), bus: new MemoryBus() };
            if (faulty) memory.bus.fails = () => faults.next().value;
            const options = {
              ...memory,
              partitions: PARTITIONS,
              rules: EFFECT_RULES,
              onRecord: () => {},
              onAnnounced: () => {},
              warn: () => {},
              now: Date.now,
            };
            return { ...memory, pipeline: new Pipeline(options) };
          };
          const smooth = build(false);
          await smooth.pipeline.process(partition, -1, records);

          const rough = build(true);
          let through = false;
          for (let i = 0; i < 100 && !through; i++) {
            const known = await rough.versions.position(partition);
            through = await rough.pipeline.process(partition, known, records).then(
              () => true,
              () => false,
            );
          }
          fc.pre(through);
          expect(rough.versions.held).toEqual(smooth.versions.held);
          expect(rough.bus.announced.map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
          // The newest announcement of the scope, which compaction keeps, is the version itself.
          expect(rough.bus.announced.at(-1)).toMatchObject({
            current: smooth.bus.announced.at(-1)?.current,
            floor: smooth.bus.announced.at(-1)?.floor,
          });
        },
      ),
    );
  });
});

describe('the trace of a batch', () => {
  const spans = recordSpans();
  const folds = () => spans.filter(({ name }) => name === 'EVALSHA');
  const linked = () => folds().map(({ links }) => links.map(({ context }) => context.spanId));

  test('has the one fold in the trace of each event, the first linked with the others, and back', async () => {
    await pipeline.process(partition, -1, [
      event(3, disabled),
      tickOf(4, 990),
      event(5, rolesChanged),
      event(6, disabled),
    ]);
    const [a, b, c] = folds().map((span) => span.spanContext());
    expect(new Set(folds().map((span) => span.spanContext().traceId)).size).toBe(3);
    expect(linked()).toEqual([[b?.spanId, c?.spanId], [a?.spanId], [a?.spanId]]);
    expect(folds().map(({ attributes }) => attributes['messaging.batch.message_count'])).toEqual([3, 3, 3]);
  });

  test('has no links where the event is alone', async () => {
    await pipeline.process(partition, -1, [event(3, disabled), tickOf(4, 990)]);
    expect(linked()).toEqual([[]]);
    expect(folds()[0]?.attributes).not.toHaveProperty('messaging.batch.message_count');
  });
});
