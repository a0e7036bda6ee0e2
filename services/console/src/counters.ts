import type { Sample } from './metrics-text.ts';

/** How much counters rose since they were last read, by instance; one that began again counts from nought. */
export class Counters {
  readonly #last = new Map<string, number>();

  /**
   * The rise of a counter over all instances, by a label's value, or under `''` where none is named. What is read for
   * the first time has not risen: it counts from before this console began.
   */
  rise(instances: ReadonlyMap<string, readonly Sample[]>, name: string, label?: string): Record<string, number> {
    const rises: Record<string, number> = {};
    for (const [instance, samples] of instances) {
      const known = `${instance} ${name}`;
      // One that is new beside counters that were read before began at nought.
      const before = this.#last.has(known) ? 0 : undefined;
      this.#last.set(known, 0);
      for (const sample of samples) {
        if (sample.name !== name) continue;
        const key = `${known} ${JSON.stringify(sample.labels)}`;
        const last = this.#last.get(key) ?? before ?? sample.value;
        this.#last.set(key, sample.value);
        const of = label === undefined ? '' : (sample.labels[label] ?? '');
        rises[of] = (rises[of] ?? 0) + (sample.value < last ? sample.value : sample.value - last);
      }
    }
    return rises;
  }
}
