import { noted, quantile, type Report, type Reports, time, whole } from './report.ts';

const STEADY = 'http curfew-cookie steady';
const TARGET = 0.01;

/** What `--only http` says, with the target of issue 5. */
export function sayHttp(reports: Reports): readonly string[] {
  const { [STEADY]: steady = [], ...compared } = reports;
  const commands = noted(steady, 'redisCommandsPerRequest');
  const met = commands < TARGET ? 'met' : 'MISSED';
  return [
    ...Object.entries(compared).map(([which, of]) => lineOf(which.slice('http '.length), of)),
    `curfew-cookie steady: ${commands.toFixed(4)} commands to Redis a request, each session read once a minute; target: under ${TARGET} ${met}`,
  ];
}

function lineOf(which: string, of: readonly Report[]): string {
  const perSecond = `${whole(noted(of, 'requestsPerSecond')).padStart(7)} a second`;
  const [p50, p99] = [0.5, 0.99].map((q) => time(quantile(of, q)).padStart(9));
  const cpu = `${noted(of, 'serverCpuMicrosecondsPerRequest').toFixed(0)} µs of CPU`;
  const redis = `${noted(of, 'redisCommandsPerRequest').toFixed(4)} commands to Redis`;
  return `${which.padEnd(20)}${perSecond}   p50 ${p50}   p99 ${p99}   a request: ${cpu}, ${redis}`;
}
