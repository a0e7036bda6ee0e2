import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';

export const USAGE = `npm run prove -- [--minutes 2] [--seed 7] [--without ticks] [--only faults] [--small]

  --minutes  how long faults happen, 0.2 to 120; default 2
  --seed     draws the faults and the load; default: any
  --without  switches something off that the bound rests on; the run must then fail:
             ticks  the services are told a bound of a day, so that no view is ever too old
  --only     kinds of faults, separated by commas, as the picture names them; default: all
  --small    two sidecars and one storefront instead of four and two`;

export interface ProveArguments {
  readonly minutes: number;
  readonly seed: number;
  readonly without: 'ticks' | undefined;
  readonly only: readonly string[] | undefined;
  readonly small: boolean;
}

/** @throws Error with the usage, where an argument cannot be used. */
export function parseProveArguments(args: readonly string[]): ProveArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: `${Date.now() % 100_000}` },
      without: { type: 'string' },
      only: { type: 'string' },
      small: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes >= 0.2 && minutes <= 120)) throw new Error(`--minutes is not a number from 0.2 to 120.\n\n${USAGE}`);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed is not a whole number.\n\n${USAGE}`);
  const { without } = values;
  if (without !== undefined && without !== 'ticks')
    throw new Error(
      `--without ${without}: real processes can go without ticks; the simulation knows more.\n\n${USAGE}`,
    );
  const only = values.only?.split(',').map((kind) => kind.trim());
  const unknown = only?.find((name) => !FAULTS.some(({ kind }) => kind === name));
  if (unknown !== undefined)
    throw new Error(
      `There is no fault called ${unknown}, but: ${FAULTS.map(({ kind }) => kind).join('; ')}.\n\n${USAGE}`,
    );
  return { minutes, seed, without, only, small: values.small };
}
