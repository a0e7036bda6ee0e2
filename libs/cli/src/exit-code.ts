import { CurfewError } from '@curfew/contracts';

/** What the command says to the script that ran it. */
export const EXIT = {
  /** Done, or effective. */
  ok: 0,
  /** Not effective, refused, or a problem was found. */
  problem: 1,
  /** The arguments or the environment cannot be used. */
  usage: 2,
  /** The session service, Kafka or Redis does not answer. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const OF_ERRORS: Partial<Record<CurfewError['code'], ExitCode>> = {
  option_invalid: EXIT.usage,
  upstream_unavailable: EXIT.unreachable,
  bus_unavailable: EXIT.unreachable,
  store_unavailable: EXIT.unreachable,
  not_ready: EXIT.unreachable,
};

export const exitCodeOf = (error: unknown): ExitCode =>
  (error instanceof CurfewError ? OF_ERRORS[error.code] : undefined) ?? EXIT.problem;
