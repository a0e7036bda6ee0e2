import type { SidecarReport } from '@curfew/contracts/reports';
import { HISTORY_MS } from './series.ts';

/** A sidecar as the console shows it: `gone` where it fell silent, and the session service has forgotten it since. */
export type ShownSidecar = Omit<SidecarReport, 'state'> & { readonly state: SidecarReport['state'] | 'gone' };

/** The sidecars that report, and those that ceased without a word. */
export class Fleet {
  #reported: readonly SidecarReport[] = [];
  readonly #gone = new Map<string, SidecarReport>();

  take(reports: readonly SidecarReport[], now: number): void {
    const listed = new Set(reports.map(lifeOf));
    for (const before of this.#reported)
      if (!listed.has(lifeOf(before)) && before.state !== 'closed') this.#gone.set(lifeOf(before), before);
    for (const [life, { lastReceiptAt }] of this.#gone)
      if (listed.has(life) || Date.parse(lastReceiptAt) < now - HISTORY_MS) this.#gone.delete(life);
    this.#reported = reports;
  }

  /** Those that closed are counted no more. */
  get open(): readonly SidecarReport[] {
    return this.#reported.filter(({ state }) => state !== 'closed');
  }

  /** By service and instance: those that report, then those that are gone. */
  get shown(): readonly ShownSidecar[] {
    const gone = [...this.#gone.values()].map((one) => ({ ...one, state: 'gone' as const }));
    return [...this.#reported.toSorted(byName), ...gone.toSorted(byName)];
  }

  /** Services of which a sidecar ceased and none is left. */
  get abandoned(): readonly SidecarReport[] {
    const served = new Set(this.open.map(({ service }) => service));
    const last = new Map<string, SidecarReport>();
    for (const one of [...this.#gone.values()].toSorted(
      (a, b) => Date.parse(a.lastReceiptAt) - Date.parse(b.lastReceiptAt),
    ))
      if (!served.has(one.service)) last.set(one.service, one);
    return [...last.values()];
  }
}

/** A process that was started anew under the same name is another sidecar. */
const lifeOf = ({ startedAt, instance }: SidecarReport) => `${startedAt} ${instance}`;

type Named = Pick<SidecarReport, 'service' | 'instance'>;

const byName = (a: Named, b: Named) => a.service.localeCompare(b.service) || a.instance.localeCompare(b.instance);
