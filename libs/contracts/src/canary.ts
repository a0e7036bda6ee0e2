import { partitionOf } from './scope.ts';

const PREFIX = 'curfew.canary.';
const CANARY = /^curfew\.canary\.\d+$/;

/** Whether a subject is a synthetic one, whose revocations measure the propagation while nothing else happens. */
export const isCanary = (subject: string): boolean => CANARY.test(subject);

/** The canary of each partition: the subject `curfew.canary.<n>` of the smallest n that falls into it. */
export function canaries(partitions: number): readonly string[] {
  const byPartition = new Map<number, string>();
  for (let n = 0; byPartition.size < partitions; n++) {
    const subject = `${PREFIX}${n}`;
    const partition = partitionOf(subject, partitions);
    if (!byPartition.has(partition)) byPartition.set(partition, subject);
  }
  return Array.from({ length: partitions }, (_, partition) => byPartition.get(partition) ?? '');
}
