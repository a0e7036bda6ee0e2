import { inRoot } from '../infra/local/paths.mjs';

// `npm test` is `vitest run`, with one argument more: `--containers` has Kafka and Redis run in containers.
const args = process.argv.slice(2).filter((arg) => arg !== '--containers');
if (args.length < process.argv.length - 2) process.env['CURFEW_TEST_CONTAINERS'] = '1';
process.argv.splice(2, Number.POSITIVE_INFINITY, 'run', ...args);
// In this process: whoever ends npm ends the tests.
await import(inRoot('node_modules/vitest/vitest.mjs'));
