import { StartError } from './start-error.mjs';

export const USAGE = `npm start -- [--once] [--traces] [--docker] [--free-ports]

  --once        ends after the scenario: exit code 0, or 1 where a step failed
  --traces      starts a Zipkin too, to look at the traces that the services make; with --docker: a Jaeger, with
                Prometheus and Grafana
  --docker      runs the stack in Docker Compose; on Debian, as root, it needs no engine installed
  --free-ports  takes free ports instead of the usual ones

  CURFEW_KAFKA_BROKERS=host:port,…  uses this Kafka and starts none
  CURFEW_REDIS_URL=redis://…        uses this Redis and starts none
  CURFEW_ZIPKIN_URL=http://…        uses this Zipkin, with --traces, and starts none`;

const FLAGS = ['once', 'traces', 'docker', 'free-ports', 'help'];

/**
 * @param {readonly string[]} args
 * @returns {{ once: boolean, traces: boolean, docker: boolean, freePorts: boolean, help: boolean }}
 * @throws {StartError} where an argument is unknown or two exclude each other.
 */
export function parseArguments(args) {
  const given = new Set(args.map((arg) => (arg === '-h' ? 'help' : arg.replace(/^--/, ''))));
  const unknown = args.find((arg) => arg !== '-h' && !(arg.startsWith('--') && FLAGS.includes(arg.slice(2))));
  if (unknown !== undefined) throw new StartError(`There is no argument ${unknown}.\n\n${USAGE}`);
  if (given.has('docker') && given.has('free-ports'))
    throw new StartError('--free-ports is for the stack without containers: docker-compose.yml names its ports.');
  return {
    once: given.has('once'),
    traces: given.has('traces'),
    docker: given.has('docker'),
    freePorts: given.has('free-ports'),
    help: given.has('help'),
  };
}
