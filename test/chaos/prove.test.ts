import { afterEach, describe, expect, test } from 'vitest';
import { LOCAL } from '../../infra/local/paths.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { check } from '../prove/checker.ts';
import { type ProveOptions, prove } from '../prove/prove.ts';

const directory = `${LOCAL}/prove-test-${process.pid}`;
const interrupt = new AbortController();

const short = (options: Partial<ProveOptions>) =>
  prove({
    minutes: 0.25,
    seed: 7,
    small: true,
    withoutTicks: false,
    directory,
    onProgress: () => {},
    signal: interrupt.signal,
    ...options,
  });

afterEach(() => removeDirectory(directory));

describe('real processes under faults', () => {
  test('keep the bound, lose nothing, and come back', async () => {
    const history = await short({});
    expect(history.failures).toEqual([]);
    expect(check(history).violations).toEqual([]);
    expect(history.faults.length).toBeGreaterThanOrEqual(3);
    expect(history.decisions.length).toBeGreaterThan(2000);
  });

  // A suite that cannot fail proves nothing: what it rests on is switched off, and must be missed.
  test('are caught accepting ended sessions when the bound is switched off', async () => {
    const history = await short({ withoutTicks: true, only: ['link to Kafka silent'], minutes: 0.2 });
    expect(check(history).violations).toContainEqual(expect.objectContaining({ kind: 'stale accept' }));
  });
});
