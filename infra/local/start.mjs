import { prepareDocker } from '../docker/prepare.mjs';
import { parseArguments, USAGE } from './arguments.mjs';
import { startDockerStack } from './docker.mjs';
import { existing } from './environment.mjs';
import { interruption, Stopped } from './interrupt.mjs';
import { installPackages, packagesAreInstalled } from './packages.mjs';
import { LOCAL, shown } from './paths.mjs';
import { assertFree, freePorts } from './ports.mjs';
import { createProgress } from './progress.mjs';
import { removeDirectory } from './remove-directory.mjs';
import { newAccounts, playAndShow } from './scenario-show.mjs';
import { PORTS } from './services.mjs';
import { startStack } from './stack.mjs';
import { StartError } from './start-error.mjs';
import { formatTable } from './table.mjs';

const progress = createProgress();
const { paint, line } = progress;
const signal = interruption((words) => line(paint.dim(words)));

/** Starts the stack, plays the scenario, stays up. @returns {Promise<number>} the exit code */
async function start() {
  const { once, traces, docker, freePorts: anyPorts, help } = parseArguments(process.argv.slice(2));
  if (help) {
    line(USAGE);
    return 0;
  }
  const ports = anyPorts ? await portsThatAreFree() : PORTS;
  const directory = `${LOCAL}/run-${ports['session-service']}`;
  await assertFree(wanted(ports, traces && !docker));
  if (!packagesAreInstalled()) {
    await progress.run('node modules', (say) => installPackages({ say, signal }), { signal });
    // That takes minutes on a slow network, and somebody may have started meanwhile.
    await assertFree(wanted(ports, traces && !docker));
  }
  line(paint.dim(`Logs: ${shown(directory)}`));
  const stack = docker
    ? await startDockerStack({ engine: await prepareDocker({ progress, signal }), traces, directory, progress, signal })
    : await startStack({ ports, traces, directory, progress, signal });
  let failed = true;
  try {
    const addresses = new Map(stack.addresses);
    const addressOf = (/** @type {keyof typeof PORTS} */ name) => `${addresses.get(name)}`;
    const subjectOf = startsEmpty(docker) ? undefined : newAccounts(progress);
    const passed = await untilBroken(stack.signal, (broken) =>
      playAndShow({ addressOf, subjectOf, progress, signal: broken }),
    );
    failed = !passed;
    if (once) return passed ? 0 : 1;
    line(formatTable([{ title: 'runs' }, { title: 'at' }], stack.addresses));
    line(`\n${paint.bold('Ctrl-C ends all of it.')}`);
    await untilBroken(stack.signal, () => new Promise(() => {})).catch((reason) => {
      if (reason instanceof Stopped) return;
      failed = true;
      throw reason;
    });
    return passed ? 0 : 1;
  } finally {
    await progress.run('ending what was started', () => stack.stop());
    // Nobody finds the logs of a port that was drawn; those of a failure are named where it is told.
    if (anyPorts && !failed) await removeDirectory(directory);
  }
}

/** Whether the stack has a Kafka and a Redis that hold nothing yet. @param {boolean} docker */
function startsEmpty(docker) {
  const { brokers, redisUrl } = existing();
  return !docker && brokers === undefined && redisUrl === undefined;
}

/** Work, unless the signal comes first. @template T @param {AbortSignal} signal @param {(signal: AbortSignal) => Promise<T>} work */
async function untilBroken(signal, work) {
  signal.throwIfAborted();
  const broken = new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return /** @type {T} */ (await Promise.race([work(signal), broken]));
}

/** @returns {Promise<typeof PORTS>} */
async function portsThatAreFree() {
  const names = Object.keys(PORTS);
  const free = await freePorts(names.length);
  return /** @type {any} */ (Object.fromEntries(names.map((name, at) => [name, free[at]])));
}

/** The ports that this run will listen on. @param {typeof PORTS} ports @param {boolean} traces */
function wanted({ Kafka, Redis, Zipkin, ...services }, traces) {
  const { brokers, redisUrl, zipkinUrl } = existing();
  return {
    ...(brokers === undefined ? { Kafka } : {}),
    ...(redisUrl === undefined ? { Redis } : {}),
    ...(traces && zipkinUrl === undefined ? { Zipkin } : {}),
    ...services,
  };
}

/** @param {unknown} error @returns {number} the exit code */
function explain(error) {
  if (error instanceof Stopped) return error.exitCode;
  console.error(
    `\n${paint.red('Curfew does not run.')} ${error instanceof StartError ? error.message : /** @type {Error} */ (error).stack}`,
  );
  return 1;
}

process.exit(await start().catch(explain));
