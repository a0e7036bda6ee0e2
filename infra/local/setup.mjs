import { rmSync } from 'node:fs';
import { existing } from './environment.mjs';
import { interruption, Stopped } from './interrupt.mjs';
import { kafkaFiles } from './kafka-jars.mjs';
import { installPackages, packagesAreInstalled } from './packages.mjs';
import { LOCAL } from './paths.mjs';
import { chromiumPath, NO_CHROMIUM, NO_KCAT, NO_PROMETHEUS, provide } from './programs.mjs';
import { NO_REDIS } from './redis.mjs';
import { StartError } from './start-error.mjs';

const say = console.log;
// npm ends the shell that waits for this script; the shell would leave it behind.
const signal = interruption(say, { withParent: true });

/**
 * What the tests, the checks and the benchmarks need before they run: the node modules and, unless `--packages` is
 * given, the jars of Kafka (with Java and Maven for them), Redis and, with `--tests`, kcat, Prometheus and a Chromium.
 */
async function setup() {
  if (!packagesAreInstalled()) {
    say('npm installs the node modules');
    await installPackages({ say, signal });
  }
  if (process.argv.includes('--packages')) return;
  const { brokers, redisUrl } = existing();
  if (brokers === undefined) {
    const log = `${LOCAL}/setup-${process.pid}.log`;
    await kafkaFiles({ log, say, signal });
    rmSync(log, { force: true });
  }
  if (redisUrl === undefined && !(await provide('redis-server', 'redis-server', { say, signal })))
    throw new StartError(NO_REDIS);
  if (!process.argv.includes('--tests')) return;
  if (!(await provide('kcat', 'kcat', { say, signal }))) console.warn(NO_KCAT);
  if (!(await provide('promtool', 'prometheus', { say, signal }))) console.warn(NO_PROMETHEUS);
  if (chromiumPath() === undefined && !(await provide('chromium', 'chromium', { say, signal })))
    console.warn(NO_CHROMIUM);
}

await setup().catch((error) => {
  if (!(error instanceof Stopped)) console.error(error instanceof StartError ? error.message : error);
  process.exitCode = error instanceof Stopped ? error.exitCode : 1;
});
