import type { RevocationReport, SidecarReport } from '@curfew/contracts/reports';
import { abandoned, allIsWell, heard, lagging, late, ready, silent } from './headline-rules.ts';
import type { Quantiles } from './quantiles.ts';

/** What an operator reads first. */
export interface Headline {
  /** `unknown`: nothing can be said, which is not the same as good. */
  readonly level: 'good' | 'warning' | 'bad' | 'unknown';
  /** One sentence, which stays the same while nothing changes. */
  readonly text: string;
  /** What goes with it, in words. */
  readonly details: readonly string[];
}

/** What the console has heard of the session service. */
export interface Hearing {
  /** When it last answered, ms since the epoch; undefined: never. */
  readonly lastAt: number | undefined;
  /** Why it does not answer now; undefined where it does. */
  readonly failure: string | undefined;
  /** What keeps it from its work, in its own words; undefined where nothing does. */
  readonly notReady: string | undefined;
}

export interface Situation {
  readonly now: number;
  readonly hearing: Hearing;
  /** Those that count: closed ones do not. */
  readonly sidecars: readonly SidecarReport[];
  /** The last one of each service of which none is left. */
  readonly abandoned: readonly SidecarReport[];
  readonly revocations: readonly RevocationReport[];
  readonly propagation: Quantiles;
}

const RULES = [heard, ready, late, silent, abandoned, lagging];

/** What is worst is the headline; whatever else is wrong is named below it. */
export function headlineOf(situation: Situation): Headline {
  const [worst, ...others] = RULES.flatMap((rule) => rule(situation) ?? []);
  if (worst === undefined) return allIsWell(situation);
  return { ...worst, details: [...worst.details, ...others.map(({ text }) => text)] };
}
