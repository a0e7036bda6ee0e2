import { rmSync } from 'node:fs';
import { kafkaFiles } from './kafka-jars.mjs';
import { installPackages, packagesAreInstalled } from './packages.mjs';
import { LOCAL } from './paths.mjs';
import { provide } from './programs.mjs';
import { NO_REDIS } from './redis.mjs';
import { StartError } from './start-error.mjs';

/**
 * What the tests, the checks and the benchmarks need before they run: the node modules and, unless `--packages` is
 * given, the jars of Kafka, Redis and kcat.
 */
async function setup() {
  if (!packagesAreInstalled()) {
    console.log('npm installs the node modules');
    await installPackages();
  }
  if (process.argv.includes('--packages')) return;
  if (process.env['CURFEW_KAFKA_BROKERS'] === undefined) {
    const log = `${LOCAL}/setup-${process.pid}.log`;
    await kafkaFiles({ log, say: console.log });
    rmSync(log, { force: true });
  }
  if (
    process.env['CURFEW_REDIS_URL'] === undefined &&
    !(await provide('redis-server', 'redis-server', { say: console.log }))
  )
    throw new StartError(NO_REDIS);
  if (!(await provide('kcat', 'kcat', { say: console.log })))
    console.warn('There is no `kcat` on the PATH: the test that produces an account event with it is skipped.');
}

await setup().catch((error) => {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
});
