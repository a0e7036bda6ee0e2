import { spawnSync } from 'node:child_process';

/** Whether a process runs. One that has ended and whom nobody has waited for (a zombie) does not. */
export function alive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
