import { parseSubjectId, recordKeyOf, type Subject, subjectOf } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';

const opaque = (id: string) => ({ format: 'opaque', id });

function read(value: unknown): { subject: Subject; key: string } | string {
  const parsed = parseSubjectId(value);
  if (!parsed.ok) return parsed.code;
  const subject = subjectOf(parsed.value);
  return { subject, key: recordKeyOf(subject) };
}

describe('a subject identifier', () => {
  test.each([
    ['opaque', opaque('alice'), 'alice'],
    ['iss_sub', { format: 'iss_sub', iss: 'https://id.example.com', sub: 'alice' }, 'alice'],
    ['email', { format: 'email', email: 'alice@example.com' }, 'alice@example.com'],
    ['account', { format: 'account', uri: 'acct:alice@example.com' }, 'acct:alice@example.com'],
  ])('of the format %s names an account', (_, value, user) => {
    expect(read(value)).toEqual({ subject: { user }, key: user });
  });

  test('that is complex names a session or a device of its user, and is keyed by the user', () => {
    const value = { format: 'complex', user: opaque('alice'), session: opaque('phone'), device: opaque('d1') };
    expect(read(value)).toEqual({ subject: { user: 'alice', session: 'phone', device: 'd1' }, key: 'alice' });
  });

  test('that is complex names a tenant, and is keyed by it', () => {
    expect(read({ format: 'complex', tenant: opaque('acme') })).toEqual({ subject: { tenant: 'acme' }, key: 'acme' });
  });

  test('that is complex names the realm as the tenant *', () => {
    expect(read({ format: 'complex', tenant: opaque('*') })).toEqual({ subject: { tenant: '*' }, key: '*' });
  });

  test('may hold members that nobody knows', () => {
    const value = { format: 'complex', user: { ...opaque('alice'), x: 1 }, group: opaque('g') };
    expect(read(value)).toEqual({ subject: { user: 'alice' }, key: 'alice' });
  });

  test('is at most 256 characters long, because it becomes a key', () => {
    expect(read(opaque('a'.repeat(256)))).toHaveProperty('key');
    expect(read(opaque('a'.repeat(257)))).toBe('subject_invalid');
  });

  test.each([
    ['a text', 'alice', 'subject_invalid'],
    ['a list', [], 'subject_invalid'],
    ['without a format', { id: 'alice' }, 'subject_format_unknown'],
    ['of a format that is a member of every object', { format: 'toString', id: 'alice' }, 'subject_format_unknown'],
    ['without its id', { format: 'email', id: 'alice' }, 'subject_invalid'],
    ['with an empty id', opaque(''), 'subject_invalid'],
    ['with half a surrogate pair, which UTF-8 cannot say', opaque('a\ud800'), 'subject_invalid'],
    ['that calls an account *', opaque('*'), 'subject_invalid'],
    ['that calls a user *', { format: 'complex', user: opaque('*') }, 'subject_invalid'],
    ['of iss_sub without iss', { format: 'iss_sub', sub: 'alice' }, 'subject_invalid'],
    ['that is complex and names nobody', { format: 'complex' }, 'subject_invalid'],
    ['with a session and no user', { format: 'complex', session: opaque('1') }, 'subject_invalid'],
    ['with a device and no user', { format: 'complex', tenant: opaque('t'), device: opaque('1') }, 'subject_invalid'],
    ['that is complex within complex', { format: 'complex', user: { format: 'complex' } }, 'subject_format_unknown'],
    ['with a user that is a text', { format: 'complex', user: 'alice' }, 'subject_invalid'],
  ])('%s is refused', (_, value, code) => {
    expect(read(value)).toBe(code);
  });
});
