import { parseMetrics, type Sample } from './metrics-text.ts';

/** How long an instance that was not heard counts on, ms: those behind one address are heard in turn. */
const KEPT_MS = 30_000;

/** What each session service said of itself last. Behind one address there may be several. */
export class Instances {
  readonly #heard = new Map<string, { readonly at: number; readonly samples: readonly Sample[] }>();

  /** @param metrics the text that each address answered. */
  take(metrics: ReadonlyMap<string, string>, now: number): void {
    for (const [address, text] of metrics) {
      const samples = parseMetrics(text);
      this.#heard.set(idOf(samples) ?? address, { at: now, samples });
    }
    for (const [id, { at }] of this.#heard) if (at < now - KEPT_MS) this.#heard.delete(id);
  }

  /** By the instance. */
  get samples(): ReadonlyMap<string, readonly Sample[]> {
    return new Map([...this.#heard].map(([id, { samples }]) => [id, samples]));
  }
}

/** `service.instance.id` (OpenTelemetry): another in each process. */
const idOf = (samples: readonly Sample[]) =>
  samples.find(({ name }) => name === 'target_info')?.labels['service_instance_id'];
