import type { Receipt, VersionRecord } from '@curfew/contracts';
import { afterAll, describe, expect, test } from 'vitest';
import { Tail } from '../../../libs/cli/src/commands/tail.ts';
import { Output } from '../../../libs/cli/src/output.ts';
import { curfew } from '../../support/command.ts';
import { startFakeSessionService } from '../../support/fake-session-service.ts';
import { application, revocationReport, sidecarReport } from '../../support/reports.ts';

/** Clears the line and forges the next one, moves the cursor by C1, turns the direction, hides, ends a line by Unicode. */
const PLANTED = '\x1b[2K\r\nforged \x9b1A\x07\x7f\u202e\u200b\u2028\u{e0041}';
const SEEN = String.raw`\u001b[2K\u000d\u000aforged \u009b1A\u0007\u007f\u202e\u200b\u2028\udb40\udc41`;
const NOT_FOR_A_TERMINAL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const NOW = Date.parse('2026-11-25T10:03:04.000Z');
const state = 'cut-off';
const service = `orders${PLANTED}`;
const instance = `o1${PLANTED}`;
const answers = {
  sidecars: [sidecarReport(NOW, { service, instance, state })],
  revocations: [
    revocationReport(NOW, {
      id: `jti${PLANTED}`,
      why: `why${PLANTED}`,
      scopes: [`u:alice${PLANTED}`, 's:gone'],
      sidecars: [{ ...application(NOW, service, 3), instance }],
    }),
  ],
  metrics: '',
  notReady: [],
  sessions: {},
  versions: {},
};
const fake = await startFakeSessionService(answers);
afterAll(() => fake.close());

const run = (...args: string[]) =>
  curfew(args, {
    env: { CURFEW_SESSION_SERVICE_URL: fake.url, CURFEW_CREDENTIAL: 'admin:admin-of-the-local-stack-only' },
  });
const expectPrintable = (text: string) => {
  for (const line of text.split('\n')) expect(line).not.toMatch(NOT_FOR_A_TERMINAL);
};

const COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ['status', 'status'],
  ['status of one', 'status', `jti${PLANTED}`],
  ['sidecars', 'sidecars'],
  ['revoke', 'revoke', '--subject', 'alice'],
  ['revoke --wait', 'revoke', '--subject', 'alice', '--wait'],
  ['why', 'why', 'gone'],
];
/** A terminal, and what it was sent. */
function terminal() {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 200, write: (text: string | Uint8Array) => written.push(`${text}`) > 0 };
  return { stream, written };
}

describe('what others chose a terminal never obeys', () => {
  test.each(COMMANDS)('in the words of %s', async (_, ...args) => {
    const { stdout, stderr } = await run(...args);
    expect(stdout).toContain(SEEN);
    expect(stdout).not.toMatch(/^forged/m);
    expectPrintable(stdout + stderr);
  });

  test.each(COMMANDS)('in the JSON of %s, which says the same to a program', async (_, ...args) => {
    const { stdout } = await run(...args, '--json');
    expect(stdout.split('\n')).toHaveLength(2);
    expectPrintable(stdout);
    expect(JSON.stringify(JSON.parse(stdout))).toContain(JSON.stringify(PLANTED).slice(1, -1));
  });

  test.each([true, false])('in what goes by, as JSON: %s', (json) => {
    const { stream, written } = terminal();
    const env = { NO_COLOR: '1' };
    const tail = new Tail(new Output({ stdout: stream, stderr: stream, env }, json), false);
    const record = { kind: 'version', scope: `u:${PLANTED}`, current: 1, floor: 1, at: NOW, why: PLANTED, id: PLANTED };
    tail.version({ partition: 1, appendedAt: NOW, record: { ...record, offset: 1 } as VersionRecord });
    const receipt = { service, instance, at: NOW, startedAt: NOW, boundMs: 2000, partitions: [] };
    const applied = [{ id: PLANTED, partition: 1, offset: 1, at: NOW, since: NOW, exposed: 0 }];
    tail.receipt({ ...receipt, state: 'live', applied } as Receipt);
    tail.receipt({ ...receipt, state, applied: [] });
    expect(written.join('').split('\n')).toHaveLength(4);
    expectPrintable(written.join(''));
  });

  test('in progress, nor in what went wrong, whose second line cannot pass for another', () => {
    const { stream, written } = terminal();
    const output = new Output({ stdout: stream, stderr: stream, env: {} }, false);
    output.progress(PLANTED);
    expect(written.splice(0)).toEqual([`\r\x1b[K… ${SEEN}`]);
    output.endProgress();
    written.splice(0);
    output.failure('internal', `${PLANTED}\nat main.ts`);
    expectPrintable(written.join(''));
    expect(written.join('')).toMatch(/^curfew: .*\n {2}forged .*\n {2}at main\.ts \(internal\)\n$/);
  });
});
