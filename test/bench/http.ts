import { noted, quantile, type Reports, time, whole } from './report.ts';

export const sayHttp = (reports: Reports): readonly string[] =>
  Object.entries(reports).map(([which, of]) => {
    const perSecond = `${whole(noted(of, 'requestsPerSecond')).padStart(7)} a second`;
    const [p50, p99] = [0.5, 0.99].map((q) => time(quantile(of, q)).padStart(9));
    const cpu = `${noted(of, 'serverCpuMicrosecondsPerRequest').toFixed(0)} µs of CPU`;
    const redis = `${noted(of, 'redisCommandsPerRequest').toFixed(4)} commands to Redis`;
    return `${which.slice('http '.length).padEnd(20)}${perSecond}   p50 ${p50}   p99 ${p99}   a request: ${cpu}, ${redis}`;
  });
