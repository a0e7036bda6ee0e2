/** What the doctor found, good or bad. */
export interface Finding {
  /** Stable, for programs. */
  readonly code: string;
  readonly part: 'kafka' | 'redis' | 'session-service' | 'clocks';
  /** A warning is for production; a problem breaks what Curfew promises. */
  readonly level: 'ok' | 'warning' | 'problem' | 'unreachable';
  readonly says: string;
  /** What to do about it; there is nothing to do where all is well. */
  readonly todo?: string;
}
