import { Circuit } from '../../../libs/sidecar/src/circuit.ts';
import { ReadThrough, type ReadThroughOptions } from '../../../libs/sidecar/src/read-through.ts';

/** The bound at which the tests of the ladder play, ms. */
export const BOUND = 2000;

/** A ladder's middle step whose store answers as the test says, without any skew. */
export const readThroughOf = (options: Pick<ReadThroughOptions, 'read' | 'now'> & Partial<ReadThroughOptions>) =>
  new ReadThrough({
    canRead: () => true,
    circuit: new Circuit(options.now, () => 1),
    skewMs: () => 0,
    noteTick: () => {},
    onRead: () => {},
    ...options,
  });
