import { execFileSync } from 'node:child_process';
import { STAND_INS } from '../../infra/docker/stand-ins.mjs';

/** What a `docker` command prints; throws with what it complains about. */
export const docker = (args: readonly string[], env: NodeJS.ProcessEnv = process.env): string =>
  execFileSync('docker', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim();

const succeeds = (...args: string[]): boolean => {
  try {
    docker(args);
    return true;
  } catch {
    return false;
  }
};
const hasImage = (name: string) => succeeds('image', 'inspect', name);

/** The stand-ins for the public images; undefined where this engine has none of ours. */
export const standIns = (): typeof STAND_INS | undefined => (hasImage(STAND_INS.kafka) ? STAND_INS : undefined);

/** Why nothing can run in containers here; undefined: it can. */
export function noContainers(): string | undefined {
  if (!succeeds('version')) return 'No Docker engine answers: the tests of docker-compose.yml are skipped.';
  if (!succeeds('compose', 'version'))
    return 'This Docker has no Compose 2: the tests of docker-compose.yml are skipped.';
  if (!hasImage('curfew'))
    return 'The images are not built (npm run images): the tests of docker-compose.yml are skipped.';
  return undefined;
}
