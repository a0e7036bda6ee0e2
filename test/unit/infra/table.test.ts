import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { paintFor } from '../../../infra/local/paint.mjs';
import { scenarioTable } from '../../../infra/local/scenario-table.mjs';
import { formatTable } from '../../../infra/local/table.mjs';

const plain = paintFor({ isTTY: false }, {});
const coloured = paintFor({ isTTY: true }, { TERM: 'xterm' });
const ESCAPE = '\x1b[';

describe('a table', () => {
  test('aligns its columns, to the left or to the right', () => {
    const table = formatTable(
      [{ title: 'step' }, { title: 'orders', align: 'right' }],
      [
        ['a password changes', '2.1 ms'],
        ['logout', '12.0 ms'],
      ],
    );
    expect(table.split('\n')).toEqual([
      'step                 orders',
      '──────────────────  ───────',
      'a password changes   2.1 ms',
      'logout              12.0 ms',
    ]);
  });

  test('gives colours no width', () => {
    const columns = [{ title: 'a' }, { title: 'b' }];
    const painted = formatTable(columns, [[coloured.green('long cell'), 'x']]);
    expect(stripVTControlCharacters(painted)).toBe(formatTable(columns, [['long cell', 'x']]));
  });

  test('has no spaces at the end of a line, and takes a missing cell as empty', () => {
    const lines = formatTable([{ title: 'a' }, { title: 'b' }], [['x']]).split('\n');
    expect(lines.at(-1)).toBe('x');
  });
});

describe('the table of the scenario', () => {
  const steps = [
    { title: 'in', expected: '200', seen: { orders: '200', payments: '200' }, failure: undefined },
    { title: 'out', expected: '401 session_revoked', seen: { orders: 2.14, payments: 0 }, failure: undefined },
    {
      title: 'bob',
      expected: '401 session_revoked',
      seen: { orders: '', payments: '' },
      failure: 'orders answers 503 view_stale, not 401 session_revoked',
    },
  ];

  test('shows milliseconds with one digit, and what came before the acknowledgement as less than a tenth', () => {
    const text = scenarioTable(steps, plain);
    expect(text).toMatch(/^✓ {2}out +401 session_revoked +2\.1 ms +<0\.1 ms$/m);
    expect(text).toMatch(/^✓ {2}in +200 +200 +200$/m);
  });

  test('marks a step that failed, and says why below', () => {
    const text = scenarioTable(steps, plain);
    expect(text).toMatch(/^✗ {2}bob +401 session_revoked$/m);
    expect(text.split('\n').at(-1)).toBe('✗ bob: orders answers 503 view_stale, not 401 session_revoked');
  });

  test.each([
    ['is not a terminal', { isTTY: false }, {}],
    ['is one, with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }],
    ['is a dumb one', { isTTY: true }, { TERM: 'dumb' }],
  ])('has no colours where the output %s', (_where, stream, env) => {
    expect(scenarioTable(steps, paintFor(stream, env))).not.toContain(ESCAPE);
    expect(scenarioTable(steps, coloured)).toContain(ESCAPE);
  });
});
