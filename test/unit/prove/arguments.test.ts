import { expect, test } from 'vitest';
import { parseProveArguments } from '../../prove/arguments.ts';

test('npm run prove takes minutes, a seed, and what to go without', () => {
  const args = ['--minutes', '0.5', '--seed', '7', '--without', 'ticks', '--only', 'Redis emptied, broker killed'];
  expect(parseProveArguments(args)).toEqual({
    minutes: 0.5,
    seed: 7,
    without: 'ticks',
    only: ['Redis emptied', 'broker killed'],
    small: false,
  });
});

test('npm run prove runs for two minutes unless told otherwise, and draws a seed', () => {
  expect(parseProveArguments([])).toMatchObject({ minutes: 2, without: undefined, small: false });
});

test.each([
  [['--minutes', 'soon']],
  [['--minutes', '0']],
  [['--seed', '-1']],
  [['--without', 'horizon']],
  [['--only', 'an earthquake']],
  [['--for', 'ever']],
])('npm run prove refuses %j', (args) => {
  expect(() => parseProveArguments(args)).toThrow();
});
