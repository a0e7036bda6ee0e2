import { removeContainers } from './containers.ts';

// A run's containers end with it, however it ends, by SIGKILL too: this process waits at a pipe that closes with the run.
const run = Number(process.argv[2]);
process.stdin.resume().once('end', () => removeContainers((pid) => pid === run));
