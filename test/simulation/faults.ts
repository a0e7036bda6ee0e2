import type { World } from './world.ts';

/** What can go wrong, each as one step. A fault for which there is nothing to break does nothing. */
export const FAULTS: Readonly<Record<string, (world: World) => void>> = {
  'instance crashes': (world) => world.crash(),
  'instance stands still': (world) => world.pause(),
  'group is rebalanced': (world) => world.rebalance(),
  'sidecar stands still': (world) => world.pauseSidecar(),
  'sidecar starts anew': (world) => world.restartSidecar(),
  'feed stalls': (world) => world.stallFeed(),
  'Redis fails over': (world) => world.failOver(),
  // One cause, two effects: what was lost is not noticed before the readers go on.
  'Redis fails over while no event is read': (world) => world.failOverUnread(),
  'Redis is emptied': (world) => world.flush(),
  'Redis is away': (world) => world.cutRedis(),
};

/** What ends a fault, each as one step; drawn in runs with and without faults alike. */
export const HEALERS: readonly ((world: World) => void)[] = [
  (world) => world.resume(),
  (world) => world.restart(),
  (world) => world.resumeSidecars(),
  (world) => world.unstallFeeds(),
  (world) => world.restoreRedis(),
];
