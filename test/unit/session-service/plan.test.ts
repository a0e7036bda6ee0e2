import { CAEP, EFFECT_RULES, RISC } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';
import { planOf } from '../../../services/session-service/src/events/plan.ts';
import { opaque, PARTITIONS, recordOf, setOf } from '../../support/account-event-records.ts';

const plan = (...record: Parameters<typeof recordOf>) => planOf(recordOf(...record), PARTITIONS, EFFECT_RULES);

describe('what is done with one record of the log', () => {
  test('a password change raises the floor of its subject', () => {
    const step = plan('alice', setOf(`${CAEP}credential-change`, opaque('alice'), { change_type: 'update' }));
    expect(step.effects).toEqual([{ scope: 'u:alice', raise: 'floor', why: 'caep/credential-change' }]);
    expect(step.rejected).toBeUndefined();
  });

  test('a SET in the partition of another key is forwarded, and has no effect here', () => {
    const step = plan('somebody else', setOf(`${RISC}account-disabled`, opaque('alice')));
    expect(step).toMatchObject({ effects: [], belongsIn: recordOf('alice', '').partition });
  });

  test('a SET with a known and an unknown type has its effect, and is kept aside', () => {
    const set = setOf(`${RISC}account-disabled`, opaque('alice'));
    const step = plan('alice', { ...set, events: { ...set.events, 'https://example.com/other': {} } });
    expect(step.effects).toHaveLength(1);
    expect(step.rejected).toBe('event_type_unknown');
  });

  test.each([
    ['a null value', { value: null }, 'value_missing'],
    ['malformed JSON', { value: Buffer.from('{"iss":') }, 'json_malformed'],
    ['a value of 1 MiB', { value: Buffer.alloc(1024 * 1024, 0x20) }, 'value_too_large'],
    ['bytes that are not UTF-8', { value: Buffer.from([0xff, 0xfe, 0x00]) }, 'json_malformed'],
    ['JSON that is no SET', { value: Buffer.from('{}') }, 'set_invalid'],
    ['an unknown content type', { headers: { 'content-type': Buffer.from('text/plain') } }, 'content_type_unknown'],
    ['a JWT that is none', { headers: { 'content-type': Buffer.from('application/secevent+jwt') } }, 'jwt_malformed'],
  ])('%s is kept aside: %j', (_name, place, error) => {
    const step = plan('alice', setOf(`${RISC}account-disabled`, opaque('alice')), place);
    expect(step).toMatchObject({ effects: [], rejected: error });
  });

  test('a subject in an unknown format is kept aside', () => {
    const step = plan('alice', { ...setOf(`${RISC}account-disabled`, opaque('alice')), sub_id: { format: 'did' } });
    expect(step.rejected).toBe('subject_format_unknown');
  });

  test('a record without headers is read as JSON, and the claims of a JWT as such', () => {
    const set = setOf(`${RISC}account-disabled`, opaque('alice'));
    expect(plan('alice', set, { headers: {} }).effects).toHaveLength(1);
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwt = Buffer.from(`${part({ alg: 'EdDSA' })}.${part(set)}.c2ln`);
    const headers = { 'content-type': Buffer.from('application/secevent+jwt') };
    expect(plan('alice', jwt, { headers }).effects).toHaveLength(1);
  });
});
