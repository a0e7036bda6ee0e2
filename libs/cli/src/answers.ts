/** What the session service answers, as far as the command shows it. */
export interface Accepted {
  readonly id: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly status?: string;
}

export interface SessionReport {
  readonly sid: string;
  readonly subject: string;
  readonly tenant?: string;
  readonly version: { readonly s: number; readonly t: number; readonly r: number; readonly at: number };
}
