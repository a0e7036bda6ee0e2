import { kafkaRefusal, type RefusalCode, redisRefusal } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';

const withCode = (code: string) => Object.assign(new Error('no'), { code });

describe('an error of a client', () => {
  test.each<[RefusalCode, string, unknown]>([
    ['credentials_refused', 'a password', new Error('WRONGPASS invalid username-password pair or user is disabled.')],
    ['credentials_refused', 'no password', new Error('NOAUTH Authentication required.')],
    ['right_missing', 'a command', new Error("NOPERM this user has no permissions to run the 'set' command")],
    ['right_missing', 'a command of a script', new Error("ERR The user executing the script can't run this command")],
    ['right_missing', 'a command of a script', new Error('ERR ACL failure in script: User sidecar has no permissions')],
    ['right_missing', 'a group', Object.assign(new Error('no'), { type: 'GROUP_AUTHORIZATION_FAILED' })],
    ['certificate_misnamed', 'a name', withCode('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['tls_mismatch', 'plain text', withCode('ERR_SSL_WRONG_VERSION_NUMBER')],
  ])('means %s, by %s', (reason, _, error) => {
    expect(kafkaRefusal(error)).toMatchObject({ code: 'bus_unavailable', reason });
    expect(redisRefusal(error)).toMatchObject({ code: 'store_unavailable', reason });
  });

  test('is looked into: causes, the errors that it gathers, and the last one of a cluster', () => {
    const inner = withCode('CERT_HAS_EXPIRED');
    const nested = new AggregateError([new Error('one'), new Error('other', { cause: inner })]);
    expect(kafkaRefusal(nested)).toMatchObject({ reason: 'certificate_expired' });
    expect(redisRefusal({ lastNodeError: inner })).toMatchObject({ reason: 'certificate_expired' });
  });

  test('is no refusal where nobody answers, and one that holds itself ends', () => {
    const circular: Error & { cause?: unknown } = withCode('ECONNREFUSED');
    circular.cause = circular;
    for (const error of [circular, new Error('Connection closed'), 'NOPERM', undefined])
      expect([kafkaRefusal(error), redisRefusal(error)]).toEqual([undefined, undefined]);
  });

  test('of Redis, which quotes keys and passwords, goes no further', () => {
    const error = Object.assign(new Error('WRONGPASS invalid'), {
      command: { name: 'auth', args: ['planted-secret'] },
    });
    const refusal = redisRefusal(error);
    expect(refusal?.cause).toBeUndefined();
    expect(JSON.stringify({ ...refusal, message: refusal?.message })).not.toContain('planted-secret');
  });
});
