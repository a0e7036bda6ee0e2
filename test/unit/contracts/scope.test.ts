import { isScopeKey, partitionOf, sessionOfScope, sessionScope, subjectScope, tenantScope } from '@curfew/contracts';
import fc from 'fast-check';
import { type Message, Partitioners } from 'kafkajs';
import { describe, expect, test } from 'vitest';

const unicode = fc.string({ unit: 'binary' });

describe('the partition of a key', () => {
  test('is the one that every Kafka client chooses', () => {
    const partitioner = Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(unicode, fc.integer({ min: 1, max: 64 }), (key, count) => {
        const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
          partitionId,
          leader: 1,
          partitionErrorCode: 0,
          replicas: [],
          isr: [],
        }));
        const message: Message = { key, value: null };
        expect(partitionOf(key, count)).toBe(partitioner({ topic: 't', partitionMetadata, message }));
      }),
    );
  });

  test('is the one that librdkafka chooses with murmur2_random', () => {
    expect(['alice', 'bob', 'carol', 'acme', '*', 'Zoë'].map((key) => partitionOf(key, 12))).toEqual([
      9, 6, 2, 0, 11, 10,
    ]);
  });
});

describe('a scope', () => {
  test('has a key that says what it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (id) => {
        expect([subjectScope(id), tenantScope(id), sessionScope(id), 'r'].every(isScopeKey)).toBe(true);
        expect(sessionOfScope(sessionScope(id))).toBe(id);
      }),
    );
  });

  test.each(['', 'u', 'u:', 'x:1', 'r:', '#tick', 'realm'])('has no key like "%s"', (key) => {
    expect(isScopeKey(key)).toBe(false);
  });

  test('of an account or a tenant is no tombstone', () => {
    expect([subjectScope('a'), tenantScope('a'), 'r' as const].map(sessionOfScope)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
