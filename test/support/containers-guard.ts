import { LOCAL } from '../../infra/local/paths.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { removeContainers } from './containers.ts';

// A run's containers end with it, however it ends, by SIGKILL too: this process waits at a pipe that closes with the run.
const run = Number(process.argv[2]);
process.stdin.resume().once('end', async () => {
  await removeContainers((pid) => pid === run);
  // A signal ends a run with Testcontainers in it without an event `exit` (signal-exit), which would remove this.
  await removeDirectory(`${LOCAL}/test-${run}`);
});
