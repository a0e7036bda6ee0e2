import { newSessionId, sidOf } from '@curfew/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { curfew } from '../../support/command.ts';
import { type FakeAnswers, startFakeSessionService } from '../../support/fake-session-service.ts';
import { application, revocationReport, sidecarReport } from '../../support/reports.ts';

const NOW = Date.parse('2026-11-25T10:03:04.000Z');
const answers: FakeAnswers = {
  sidecars: [],
  revocations: [],
  metrics: '',
  notReady: [],
  sessions: { 'sid-of-alice': { subject: 'alice' } },
  versions: {},
};
let service: Awaited<ReturnType<typeof startFakeSessionService>>;

beforeAll(async () => {
  service = await startFakeSessionService(answers);
});
afterAll(() => service.close());
beforeEach(() => {
  service.posted.length = 0;
  answers.sidecars = [sidecarReport(NOW), sidecarReport(NOW, { service: 'payments' })];
  answers.revocations = [revocationReport(NOW)];
});

const run = (...args: string[]) =>
  curfew(args, {
    env: { CURFEW_SESSION_SERVICE_URL: service.url, CURFEW_CREDENTIAL: 'admin:admin-of-the-local-stack-only' },
  });
const json = async (...args: string[]) => {
  const { code, stdout } = await run(...args, '--json');
  return { code, document: JSON.parse(stdout) };
};

const pending = revocationReport(NOW, {
  effective: false,
  summary: '1 of 2',
  sidecars: [
    application(NOW, 'orders', 3),
    {
      service: 'payments',
      instance: 'payments-1',
      state: 'silent',
      effective: false,
      by: 'pending',
      says: 'has not applied it yet',
    },
  ],
});

describe('revoke', () => {
  const opaque = (id: string) => ({ format: 'opaque', id });

  test.each([
    ['a subject', ['--subject', 'alice'], opaque('alice')],
    ['a tenant', ['--tenant', 'acme'], { format: 'complex', tenant: opaque('acme') }],
    ['everyone', ['--everyone'], { format: 'complex', tenant: opaque('*') }],
    [
      'a session of a subject',
      ['--subject', 'bob', '--session', 'sid-of-bob'],
      { format: 'complex', user: opaque('bob'), session: opaque('sid-of-bob') },
    ],
    [
      'a session, whose subject the session service knows',
      ['--session', 'sid-of-alice'],
      { format: 'complex', user: opaque('alice'), session: opaque('sid-of-alice') },
    ],
  ])('names %s as RFC 9493 does', async (_, args, sub_id) => {
    const { code } = await run('revoke', ...args, '--reason', 'laptop lost');
    expect(code).toBe(0);
    expect(service.posted).toEqual([{ body: { sub_id, reason: 'laptop lost' }, query: {} }]);
  });

  test('never sends a session id, only its handle', async () => {
    const id = newSessionId();
    await run('revoke', '--subject', 'bob', `--session=${id}`);
    expect(JSON.stringify(service.posted)).toContain(sidOf(id));
    expect(JSON.stringify(service.posted)).not.toContain(id);
  });

  test('of a session that is not known is refused', async () => {
    expect(await json('revoke', '--session', 'no-such')).toMatchObject({
      code: 1,
      document: { code: 'session_not_found' },
    });
    expect(service.posted).toEqual([]);
  });

  test('says where to look afterwards', async () => {
    const { stdout } = await run('revoke', '--subject', 'alice');
    expect(stdout).toContain(`curfew status ${answers.revocations[0]?.id}`);
  });

  test('waits until it is effective, and shows each sidecar', async () => {
    const { code, stdout } = await run('revoke', '--subject', 'alice', '--wait');
    expect(code).toBe(0);
    expect(stdout).toContain('effective on 2 of 2 after 4 ms\nlet through meanwhile: none\n');
    expect(stdout).toMatch(/✓ {2}orders +orders-1 +live +3 ms +none {2}applied after 3 ms/);
    expect((await json('revoke', '--subject', 'alice', '--wait')).document).toEqual(answers.revocations[0]);
  });

  test('says what it has reached when the time runs out, by exit code 1', async () => {
    answers.revocations = [pending];
    const { code, stdout } = await run('revoke', '--subject', 'alice', '--wait', '--timeout-ms', '100');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'not effective yet: 1 of 2\nlet through meanwhile: none (1 of 2 sidecars have not said)\n',
    );
    expect(stdout).toMatch(/✗ {2}payments +payments-1 +silent +has not applied it yet/);
  });
});

describe('status', () => {
  test('of the fleet is one sentence', async () => {
    const { code, stdout } = await run('status');
    expect(code).toBe(0);
    expect(stdout).toBe(
      '2 of 2 sidecars are live, their oldest view 460 ms old (bound 2.0 s); the newest revocation (session-revoked, ' +
        '10:03:04.000 UTC) is effective on 2 of 2 after 4 ms, let through meanwhile: none.\n',
    );
  });

  test.each<[string, () => void, string]>([
    [
      'a sidecar is not live',
      () => {
        answers.sidecars = [sidecarReport(NOW), sidecarReport(NOW, { service: 'payments', state: 'cut-off' })];
      },
      '1 of 2 sidecars are live (payments payments-1 is cut-off)',
    ],
    [
      'the newest revocation is not effective',
      () => {
        answers.revocations = [pending];
      },
      'not effective yet: 1 of 2',
    ],
    [
      'no sidecar says anything',
      () => {
        answers.sidecars = [];
      },
      'No sidecar says anything',
    ],
  ])('is a problem where %s', async (_, change, words) => {
    change();
    const { code, stdout } = await run('status');
    expect(code).toBe(1);
    expect(stdout).toContain(words);
    expect((await json('status')).document.ok).toBe(false);
  });

  test('counts no sidecar that was closed', async () => {
    answers.sidecars = [sidecarReport(NOW), sidecarReport(NOW, { service: 'payments', state: 'closed' })];
    expect(await json('status')).toMatchObject({ code: 0, document: { sidecars: 1, notLive: [] } });
  });

  test('of one revocation is its report', async () => {
    answers.revocations = [pending];
    expect(await json('status', pending.id)).toEqual({ code: 1, document: pending });
    expect((await run('status', pending.id)).stdout).toContain(`event ${pending.id}, trace ${pending.traceId}`);
  });

  test('of a revocation that there is not says so', async () => {
    expect(await json('status', 'no-such')).toMatchObject({ code: 1, document: { code: 'revocation_not_found' } });
  });
});

test('sidecars are a row each', async () => {
  answers.sidecars = [sidecarReport(NOW), sidecarReport(NOW, { service: 'payments', state: 'behind', partitions: [] })];
  const { stdout } = await run('sidecars');
  expect(stdout).toMatch(/^orders +orders-1 +live +460 ms +2\.0 s +0 {2}10:03:03\.700$/m);
  expect(stdout).toMatch(/^payments +payments-1 +behind +2\.0 s +0 {2}10:03:03\.700$/m);
  expect((await json('sidecars')).document).toEqual({ sidecars: answers.sidecars });
});

test('a credential that is refused is told by its code, and not shown', async () => {
  const { code, stdout, stderr } = await curfew(['sidecars'], {
    env: { CURFEW_SESSION_SERVICE_URL: service.url, CURFEW_CREDENTIAL: 'admin:planted-secret' },
  });
  expect(code).toBe(1);
  expect(stderr).toContain('client_unauthenticated');
  expect(stdout + stderr).not.toContain('planted-secret');
});

describe('why, of a session whose record is gone', () => {
  test('finds the revocation that names it, by its handle or its id', async () => {
    const id = newSessionId();
    answers.revocations = [revocationReport(NOW, { scopes: [`s:${sidOf(id)}`] })];
    const { code, document } = await json('why', id);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      sid: sidOf(id),
      verdict: 'revoked',
      scope: `s:${sidOf(id)}`,
      id: answers.revocations[0]?.id,
      at: '2026-11-25T10:03:04.000Z',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    });
    expect(JSON.stringify(document)).not.toContain(id);
    expect((await json('why', sidOf(id))).document).toEqual(document);
  });

  test('takes an id that begins like an option', async () => {
    for (const sid of ['-KtJcJ7D0TzYbYH4pYvQnA', '--tJcJ7D0TzYbYH4pYvQnA'])
      expect(await json('why', sid)).toMatchObject({ code: 1, document: { code: 'session_not_found' } });
  });

  test('reads a secret from the standard input, where no other process sees it', async () => {
    const env = { CURFEW_SESSION_SERVICE_URL: service.url, CURFEW_CREDENTIAL: 'admin:admin-of-the-local-stack-only' };
    const id = newSessionId();
    answers.revocations = [revocationReport(NOW, { scopes: [`s:${sidOf(id)}`] })];
    const { stdout } = await curfew(['why', '-', '--json'], { env, stdin: `${id}\n` });
    expect(JSON.parse(stdout)).toMatchObject({ sid: sidOf(id), verdict: 'revoked' });
  });

  test('says that it knows nothing of any other', async () => {
    expect(await json('why', 'no-such-session')).toMatchObject({ code: 1, document: { code: 'session_not_found' } });
  });
});
