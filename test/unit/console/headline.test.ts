import { describe, expect, test } from 'vitest';
import { headlineOf, type Situation } from '../../../services/console/src/headline.ts';
import { instant, revocationReport, sidecarReport } from '../../support/reports.ts';

const NOW = Date.parse('2026-11-25T03:12:00Z');

/** Two sidecars, nothing wrong, but for what a test says. */
const headline = (otherwise: Partial<Situation> = {}) =>
  headlineOf({
    now: NOW,
    hearing: { lastAt: NOW, failure: undefined, notReady: undefined },
    sidecars: [sidecarReport(NOW), sidecarReport(NOW, { service: 'payments' })],
    abandoned: [],
    revocations: [revocationReport(NOW - 5000)],
    propagation: { count: 10, p50: 2, p99: 3.14, p999: 4 },
    ...otherwise,
  });

const silent = sidecarReport(NOW, {
  service: 'payments',
  state: 'silent',
  lastReceiptAt: instant(NOW - 10_000),
  leaseUntil: instant(NOW - 8000),
});

describe('the headline', () => {
  test('says that revocations are effective everywhere, and within how long', () => {
    expect(headline()).toEqual({
      level: 'good',
      text: 'Revocations are effective everywhere',
      details: ['2 of 2 sidecars', 'p99 3.1 ms, of a bound of 2 s'],
    });
  });

  test('says of a revocation that is pending that it is, and of a canary nothing', () => {
    const pending = revocationReport(NOW - 20, { effective: false });
    expect(headline({ revocations: [pending, revocationReport(NOW - 5000)] })).toMatchObject({
      level: 'good',
      text: '1 revocation pending, others are effective everywhere',
    });
    expect(headline({ revocations: [{ ...pending, canary: true }] }).text).toBe('Revocations are effective everywhere');
  });

  test('names the sidecar that is silent, and says since when it refuses by itself', () => {
    expect(headline({ sidecars: [sidecarReport(NOW), silent] })).toEqual({
      level: 'warning',
      text: '1 of 2 sidecars silent: payments',
      details: [
        'payments (payments-1) was last heard at 03:11:50 UTC; it refuses by itself on strict routes since 03:11:52',
      ],
    });
  });

  test('says until when a silent sidecar may still accept', () => {
    const { details } = headline({ sidecars: [{ ...silent, leaseUntil: instant(NOW + 1000) }] });
    expect(details[0]).toContain('it may accept by what it knew until 03:12:01');
  });

  test('is bad where a revocation is not proven effective within the bound, and no receipt can still be under way', () => {
    const pending = revocationReport(NOW - 3501, { effective: false });
    const sidecars = pending.sidecars.map((one) => ({ ...one, effective: one.service !== 'payments' }));
    expect(headline({ revocations: [{ ...pending, sidecars }] })).toMatchObject({
      level: 'bad',
      text: '1 revocation not proven effective on payments',
    });
    expect(headline({ revocations: [{ ...pending, sidecars, at: instant(NOW - 3500) }] }).level).toBe('good');
    const canary = { ...pending, sidecars, canary: true as const };
    expect(headline({ revocations: [canary] }).text).toBe('Canaries not proven effective on payments');
    expect(headline({ revocations: [canary, { ...pending, sidecars: [] }] }).text).toBe(
      '1 revocation not proven effective anywhere',
    );
  });

  test('says that a session service is not ready, in its words', () => {
    expect(headline({ hearing: { lastAt: NOW, failure: undefined, notReady: 'Redis does not answer' } })).toEqual({
      level: 'bad',
      text: 'The session service is not ready',
      details: ['Redis does not answer'],
    });
  });

  test('claims nothing where the session service does not answer, and says of when it is', () => {
    const hearing = { lastAt: NOW - 9000, failure: 'The session service does not answer', notReady: undefined };
    expect(headline({ hearing })).toEqual({
      level: 'unknown',
      text: 'The session service does not answer',
      details: ['What is shown is of 03:11:51 UTC', 'If it is down, strict routes refuse by themselves within 2 s'],
    });
  });

  test('names the service of which no sidecar is left', () => {
    const gone = sidecarReport(NOW - 70_000, { service: 'payments' });
    expect(headline({ sidecars: [sidecarReport(NOW)], abandoned: [gone] })).toMatchObject({
      level: 'warning',
      text: 'No sidecar of payments reports any more',
    });
  });

  test.each(['behind', 'cut-off', 'starting'] as const)(
    'names a sidecar that is %s, and how old its view is',
    (state) => {
      const { level, text, details } = headline({ sidecars: [sidecarReport(NOW, { state })] });
      expect([level, text]).toEqual(['warning', '1 of 1 sidecar behind: orders']);
      expect(details[0]).toContain('its oldest view is 460 ms old');
    },
  );

  test('claims nothing where no sidecar reports', () => {
    expect(headline({ sidecars: [] }).level).toBe('unknown');
  });

  test('puts what is worst first, and the rest below it', () => {
    const hearing = { lastAt: NOW, failure: undefined, notReady: 'Kafka does not answer' };
    const { text, details } = headline({ hearing, sidecars: [silent, sidecarReport(NOW, { state: 'behind' })] });
    expect(text).toBe('The session service is not ready');
    expect(details).toEqual([
      'Kafka does not answer',
      '1 of 2 sidecars silent: payments',
      '1 of 2 sidecars behind: orders',
    ]);
  });
});
