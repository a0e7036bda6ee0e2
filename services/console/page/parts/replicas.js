import { duration } from '../words.js';

/**
 * How the replicas of Redis are; nothing where there was never one.
 *
 * @param {{ replicas: number | undefined, mostReplicas: number, replicationLagS: number | undefined }} store
 * @returns {{ name: string, level: 'good' | 'warning' | 'unknown', words: string }[]}
 */
export function replicasOf({ replicas, mostReplicas, replicationLagS }) {
  if (mostReplicas === 0) return [];
  const name = 'Replicas of Redis';
  if (replicas === undefined) return [{ name, level: 'unknown', words: 'says nothing' }];
  const behind = replicationLagS ? `, the slowest ${duration(replicationLagS * 1000)} behind` : '';
  const level = replicas < mostReplicas ? 'warning' : 'good';
  return [{ name, level, words: `${replicas} of ${mostReplicas} follow${behind}` }];
}
