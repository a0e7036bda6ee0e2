import { rm } from 'node:fs/promises';
import { LOCAL } from '../../infra/local/paths.mjs';
import { removeContainers } from './containers.ts';

// A run's containers end with it, however it ends, by SIGKILL too: this process waits at a pipe that closes with the run.
const run = Number(process.argv[2]);
process.stdin.resume().once('end', async () => {
  await removeContainers((pid) => pid === run);
  // A signal ends a run with Testcontainers in it without an event `exit` (signal-exit), which would remove this.
  await rm(`${LOCAL}/test-${run}`, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
});
