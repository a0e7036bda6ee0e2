import { once } from 'node:events';
import { isCanary, type Receipt, type Tick, type VersionRecord } from '@curfew/contracts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { LogEntry } from '../kafka-log.ts';
import type { Output } from '../output.ts';
import { exposure, timeOfDay } from '../words.ts';

/** Events whose scope is remembered until the sidecars have applied them. */
const REMEMBERED = 1000;

export const tail: Command = {
  summary: 'Shows live which events change versions, and what the sidecars say of them',
  usage: '[--canaries]',
  options: {
    canaries: { type: 'boolean', says: 'the synthetic revocations as well' },
  },
  example: 'curfew tail --json | jq -c \'select(.type == "version")\'',

  async run(given, { settings: { kafka }, output, ending }) {
    const { readReceipts, readVersions } = await import('../kafka-log.ts');
    const tail = new Tail(output, given.flag('canaries'));
    const asked = ending();
    const versions = await readVersions({ ...kafka, windowMs: 0, take: (entry) => tail.version(entry) });
    try {
      const receipts = await readReceipts({ ...kafka, windowMs: 0, take: ({ record }) => tail.receipt(record) });
      output.progress('nothing yet; Ctrl-C ends it');
      if (!asked.aborted) await once(asked, 'abort');
      await receipts.close();
    } finally {
      await versions.close();
    }
    return EXIT.ok;
  },
};

/** What is told of what comes: each version record, each application of one, each change of a sidecar's state. */
export class Tail {
  readonly #output: Output;
  readonly #withCanaries: boolean;
  /** Canaries' events. */
  readonly #canaries = new Set<string>();
  /** By sidecar. */
  readonly #states = new Map<string, string>();

  constructor(output: Output, withCanaries: boolean) {
    this.#output = output;
    this.#withCanaries = withCanaries;
  }

  version({ partition, record, appendedAt, traceId }: LogEntry<VersionRecord | Tick>): void {
    if (record.kind === 'tick') return;
    const { kind: type, ...version } = record;
    if (!this.#withCanaries && isCanary(version.scope.slice(2))) {
      if (this.#canaries.size >= REMEMBERED) this.#canaries.clear();
      this.#canaries.add(version.id);
      return;
    }
    const document = { type, partition, ...version, announcedAt: appendedAt, ...(traceId && { traceId }) };
    this.#output.answer(document, ({ scope, current, floor, why, id, at, offset, blocked }) => {
      const does = floor === current ? this.#output.paint('red', 'ended') : this.#output.paint('yellow', 'stale');
      const trace = traceId === undefined ? '' : `  trace ${traceId}`;
      return `${timeOfDay(at)}  ${does}  ${scope}${blocked ? ' (blocked)' : ''}  ${why}  ${partition}@${offset}  ${id}${trace}`;
    });
  }

  receipt(receipt: Receipt): void {
    const { instance, state } = receipt;
    const applied = receipt.applied.filter(({ id }) => !this.#canaries.has(id));
    const before = this.#states.get(instance);
    const changed = before !== undefined && before !== state;
    this.#states.set(instance, state);
    if (state === 'closed') this.#states.delete(instance);
    if (applied.length === 0 && !changed) return;
    this.#output.answer({ type: 'receipt', ...receipt, applied }, ({ service, instance, at, applied }) => {
      const lines = applied.map(
        (one) =>
          `${timeOfDay(one.at)}  ${this.#output.paint('green', 'applied')}  ${service} ${instance}  ${one.partition}@${one.offset}  ${one.id}  let through: ${exposure(one)}`,
      );
      return [...lines, ...(changed ? [`${timeOfDay(at)}  ${service} ${instance} is ${state}`] : [])].join('\n');
    });
  }
}
