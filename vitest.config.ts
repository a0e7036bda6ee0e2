import { defineConfig } from 'vitest/config';

/** Tests of one kind; those that run on the real stack share it, so their files run one after the other. */
const project = (name: string, onStack: boolean) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: onStack ? 30_000 : 10_000,
    hookTimeout: 60_000,
    // The default of 1 s is less than a machine that does other work as well may stand still.
    expect: { poll: { timeout: onStack ? 10_000 : 5000 } },
    fileParallelism: !onStack,
    ...(onStack ? { globalSetup: ['test/support/global-setup.ts'] } : {}),
  },
});

/** Starts a stack of its own that takes the whole machine, so nothing else runs beside it. */
const chaos = {
  test: {
    name: 'chaos',
    include: ['test/chaos/**/*.test.ts'],
    testTimeout: 150_000,
    fileParallelism: false,
    sequence: { groupOrder: 1 },
  },
};

/** Takes all cores for a minute, and needs nothing but Node. */
const simulation = {
  test: {
    name: 'simulation',
    include: ['test/simulation/**/*.test.ts'],
    fileParallelism: false,
    sequence: { groupOrder: 2 },
  },
};

/** docker-compose.yml on a Docker engine; where none answers, or the images are not built, it is skipped. */
const compose = {
  test: {
    name: 'compose',
    include: ['test/compose/**/*.test.ts'],
    fileParallelism: false,
    sequence: { groupOrder: 3 },
  },
};

export default defineConfig({
  test: {
    projects: [
      project('unit', false),
      project('integration', true),
      project('e2e', true),
      project('browser', true),
      chaos,
      simulation,
      compose,
    ],
    reporters: ['default', './test/support/project-counts.ts'],
  },
});
