import { beforeEach, describe, expect, test } from 'vitest';
import { Circuit } from '../../../libs/sidecar/src/circuit.ts';
import { NOW } from './issuer.ts';

let now: number;
let circuit: Circuit;
beforeEach(() => {
  now = NOW;
  circuit = new Circuit(
    () => now,
    () => 1,
  );
});
const fail = (times: number) => {
  for (let i = 0; i < times; i++) circuit.failed();
};

describe('the circuit', () => {
  test('opens with the third failure in a row, not before', () => {
    fail(2);
    circuit.succeeded();
    fail(2);
    expect([circuit.open, circuit.admits()]).toEqual([false, true]);
    fail(1);
    expect([circuit.open, circuit.admits()]).toEqual([true, false]);
  });

  test('lets one call through after its pause, and closes with its success', () => {
    fail(3);
    now += 59;
    expect(circuit.admits()).toBe(false);
    now += 1;
    expect([circuit.admits(), circuit.admits()]).toEqual([true, false]);
    circuit.succeeded();
    expect([circuit.open, circuit.admits(), circuit.admits()]).toEqual([false, true, true]);
  });

  test('pauses longer with each probe that fails, up to a second', () => {
    fail(3);
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const from = now;
      while (!circuit.admits()) now += 10;
      pauses.push(now - from);
      circuit.failed();
    }
    expect(pauses).toEqual([60, 110, 210, 410, 810, 1010, 1010, 1010]);
  });
});
