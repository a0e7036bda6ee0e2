import { newSessionId, sidOf, type VersionRecord } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';
import { causeOf, type VersionedSession } from '../../../libs/cli/src/cause.ts';
import type { LogEntry } from '../../../libs/cli/src/kafka-log.ts';
import { readShown } from '../../../libs/cli/src/shown-session.ts';

const session: VersionedSession = {
  sid: 'sid-1',
  subject: 'alice',
  tenant: 'acme',
  version: { s: 100, t: 50, r: 0, at: 1000 },
};

const announced = (at: number, record: Partial<VersionRecord>): LogEntry<VersionRecord> => ({
  partition: 0,
  appendedAt: at + 1,
  traceId: `trace-${at}`,
  record: {
    kind: 'version',
    scope: 'u:alice',
    current: at,
    floor: at,
    at,
    why: 'caep/session-revoked',
    id: `event-${at}`,
    offset: at,
    ...record,
  },
});

describe('the cause of a session’s end', () => {
  test('is the first event that raised a floor above its version, in whatever order they come', () => {
    const log = [announced(1500, {}), announced(1200, {}), announced(1300, { scope: 't:acme' })];
    expect(causeOf(session, log)).toEqual({
      verdict: 'revoked',
      scope: 'u:alice',
      why: 'caep/session-revoked',
      id: 'event-1200',
      at: 1200,
      traceId: 'trace-1200',
    });
  });

  test.each(['u:alice', 't:acme', 'r', 's:sid-1'] as const)('may be of the scope %s', (scope) => {
    expect(causeOf(session, [announced(1200, { scope })])).toMatchObject({ verdict: 'revoked', scope });
  });

  test('is no event that its versions hold already', () => {
    expect(causeOf(session, [announced(100, {}), announced(50, { scope: 't:acme' })])).toBeUndefined();
  });

  test('is no event of anybody else', () => {
    expect(causeOf(session, [announced(1200, { scope: 'u:bob' }), announced(1200, { scope: 't:other' })])).toBe(
      undefined,
    );
    expect(causeOf({ ...session, sid: 'other' }, [announced(1200, { scope: 's:sid-1' })])).toBeUndefined();
  });

  test('that made it stale counts only where none ended it', () => {
    const stale = announced(1100, { floor: 0, why: 'caep/token-claims-change' });
    expect(causeOf(session, [stale])).toMatchObject({ verdict: 'stale', id: 'event-1100' });
    expect(causeOf(session, [stale, announced(1200, {})])).toMatchObject({ verdict: 'revoked', id: 'event-1200' });
  });
});

describe('what somebody shows', () => {
  const jwt = (claims: unknown) =>
    ['{}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');

  test('may be a token, of which the claims alone are read', () => {
    const token = jwt({ sid: 'sid-1', sub: 'alice', ten: 'acme', ver: session.version, exp: 2 });
    expect(readShown(token)).toEqual({ ...session, expiresAt: 2000 });
    expect(readShown(jwt({ sid: 'sid-1', sub: 'alice', gen: 3 }))).toEqual({ sid: 'sid-1', subject: 'alice' });
  });

  test('may be a session id, of which only the handle is kept, or the handle', () => {
    const id = newSessionId();
    expect(readShown(id)).toEqual({ sid: sidOf(id) });
    expect(readShown(sidOf(id))).toEqual({ sid: sidOf(id) });
  });

  test.each([
    ['a token of something else', jwt({ sub: 'alice' })],
    ['a token with a broken body', 'a.bm8.c'],
    ['a token with a null in it', jwt(null)],
    ['half a token', 'planted.secret'],
    ['a sentence', 'planted secret'],
    ['nothing', ''],
  ])('may not be %s, and is not quoted', (_, text) => {
    expect(() => readShown(text)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    expect(() => readShown(text)).not.toThrow(/planted/);
  });
});
