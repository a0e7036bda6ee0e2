import type { Sample } from './metrics-text.ts';

/** How much counters rose since they were last read, by instance; one that began again counts from nought. */
export class Counters {
  readonly #last = new Map<string, Map<string, number>>();

  /**
   * The rise of a counter over all instances, by a label's value, or under `''` where none is named. What is read for
   * the first time has not risen: it counts from before this console, or from when nobody heard its instance.
   */
  rise(instances: ReadonlyMap<string, readonly Sample[]>, name: string, label?: string): Record<string, number> {
    const rises: Record<string, number> = {};
    for (const instance of this.#last.keys()) if (!instances.has(instance)) this.#last.delete(instance);
    for (const [instance, samples] of instances) {
      const of = this.#last.get(instance) ?? new Map<string, number>();
      this.#last.set(instance, of);
      // One that is new beside counters that were read before began at nought.
      const before = of.has(name) ? 0 : undefined;
      of.set(name, 0);
      for (const sample of samples) {
        if (sample.name !== name) continue;
        const key = `${name} ${JSON.stringify(sample.labels)}`;
        const last = of.get(key) ?? before ?? sample.value;
        of.set(key, sample.value);
        const by = label === undefined ? '' : (sample.labels[label] ?? '');
        rises[by] = (rises[by] ?? 0) + (sample.value < last ? sample.value : sample.value - last);
      }
    }
    return rises;
  }
}
