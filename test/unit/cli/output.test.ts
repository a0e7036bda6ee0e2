import { stripVTControlCharacters } from 'node:util';
import type { Receipt } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';
import { Tail } from '../../../libs/cli/src/commands/tail.ts';
import type { LogEntry } from '../../../libs/cli/src/kafka-log.ts';
import { Output } from '../../../libs/cli/src/output.ts';
import { formatTable } from '../../../libs/cli/src/table.ts';

/** An output, and what was written to it. */
function recorded({ json = false, isTTY = false, env = {} }: { json?: boolean; isTTY?: boolean; env?: object } = {}) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    isTTY,
    columns: 40,
    write: (text: string | Uint8Array) => {
      written[name] += String(text);
      return true;
    },
  });
  const env_ = { TERM: 'xterm', ...env };
  return { written, output: new Output({ stdout: stream('stdout'), stderr: stream('stderr'), env: env_ }, json) };
}

describe('the output', () => {
  test('has colours on a terminal, and none elsewhere, with NO_COLOR or on a dumb one', () => {
    expect(recorded({ isTTY: true }).output.paint('red', 'x')).toBe('\x1b[31mx\x1b[39m');
    for (const plain of [{}, { isTTY: true, env: { NO_COLOR: '1' } }, { isTTY: true, env: { TERM: 'dumb' } }])
      expect(recorded(plain).output.paint('red', 'x')).toBe('x');
  });

  test('tells the progress on a terminal alone, in one line that is cleared before the answer', () => {
    const { output, written } = recorded({ isTTY: true });
    output.progress('a text that is longer than the line of this terminal');
    output.answer({}, () => 'done');
    expect(stripVTControlCharacters(written.stderr).replaceAll('\r', '')).toBe(
      '… a text that is longer than the line ',
    );
    expect(written.stderr.endsWith('\r\x1b[K')).toBe(true);
    expect(written.stdout).toBe('done\n');
    const { output: piped, written: nothing } = recorded();
    piped.progress('x');
    expect(nothing.stderr).toBe('');
  });
});

test('a table aligns its columns, whatever their colours, with no space at the end of a line', () => {
  const red = recorded({ isTTY: true }).output.paint('red', 'long cell');
  const table = formatTable([{ title: 'a' }, { title: 'after', align: 'right' }], [[red, '3 ms'], ['x']]);
  expect(stripVTControlCharacters(table).split('\n')).toEqual([
    'a          after',
    '─────────  ─────',
    'long cell   3 ms',
    'x',
  ]);
});

describe('tail', () => {
  const AT = Date.parse('2026-11-25T10:03:04.123Z');
  const version = (scope: 'u:alice' | `u:curfew.canary.${number}`, floor: number): LogEntry<never> =>
    ({
      partition: 5,
      appendedAt: AT + 2,
      traceId: 'trace-1',
      record: { kind: 'version', scope, current: AT, floor, at: AT, why: 'caep/x', id: `of ${scope}`, offset: 9 },
    }) as LogEntry<never>;
  const receipt = (otherwise: Partial<Receipt> = {}): Receipt => ({
    service: 'orders',
    instance: 'orders-1',
    state: 'live',
    at: AT,
    startedAt: AT,
    boundMs: 2000,
    partitions: [],
    applied: [],
    ...otherwise,
  });
  const applied = (id: string) =>
    ({ id, partition: 5, offset: 9, at: AT + 3, since: AT, exposed: 2, atLeast: true }) as const;

  test('is a line for each event, with what it does, and one for each sidecar that has applied it', () => {
    const { output, written } = recorded();
    const tail = new Tail(output, false);
    tail.version(version('u:alice', AT));
    tail.version(version('u:alice', 0));
    tail.receipt(receipt({ applied: [applied('of u:alice')] }));
    expect(written.stdout.split('\n')).toEqual([
      '10:03:04.123  ended  u:alice  caep/x  5@9  of u:alice  trace trace-1',
      '10:03:04.123  stale  u:alice  caep/x  5@9  of u:alice  trace trace-1',
      '10:03:04.126  applied  orders orders-1  5@9  of u:alice  let through: at least 2',
      '',
    ]);
  });

  test('says when a sidecar’s state has changed, and nothing of receipts that say nothing new', () => {
    const { output, written } = recorded();
    const tail = new Tail(output, false);
    for (const state of ['live', 'live', 'cut-off', 'cut-off', 'closed'] as const) tail.receipt(receipt({ state }));
    expect(written.stdout).toBe('10:03:04.123  orders orders-1 is cut-off\n10:03:04.123  orders orders-1 is closed\n');
  });

  test('shows ticks never, and canaries only where they are asked for', () => {
    const canary = version('u:curfew.canary.7', AT);
    const of = (withCanaries: boolean) => {
      const { output, written } = recorded();
      const tail = new Tail(output, withCanaries);
      tail.version({ partition: 5, appendedAt: AT, record: { kind: 'tick', tick: AT, offset: 8 } });
      tail.version(canary);
      tail.receipt(receipt({ applied: [applied('of u:curfew.canary.7')] }));
      return written.stdout.split('\n').length - 1;
    };
    expect([of(false), of(true)]).toEqual([0, 2]);
  });

  test('is JSON lines for programs', () => {
    const { output, written } = recorded({ json: true });
    const tail = new Tail(output, false);
    tail.version(version('u:alice', AT));
    tail.receipt(receipt({ applied: [applied('of u:alice')] }));
    const lines = written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual(['version', 'receipt']);
    expect(lines[0]).toMatchObject({ scope: 'u:alice', current: AT, traceId: 'trace-1', announcedAt: AT + 2 });
  });
});
