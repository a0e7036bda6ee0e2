import type { Started } from '../../infra/local/processes.mjs';

/** A process that faults happen to. */
export interface Victim {
  readonly name: string;
  readonly process: Started;
  kill(): Promise<void>;
  /** Starts it again, whether it still runs or not; resolves when it was started, or later. */
  restart(): Promise<void>;
}

/** Stops a process as it stands, with everything that it holds open. */
export const pause = ({ process: { pid, running } }: Victim): void => {
  if (running()) process.kill(-pid, 'SIGSTOP');
};

export const resume = ({ process: { pid, running } }: Victim): void => {
  if (running()) process.kill(-pid, 'SIGCONT');
};
