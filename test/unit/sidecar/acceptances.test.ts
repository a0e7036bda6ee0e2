import type { ScopeKey } from '@curfew/contracts';
import { sessionVersions } from '@curfew/replica';
import { beforeEach, describe, expect, test } from 'vitest';
import { Acceptances } from '../../../libs/sidecar/src/acceptances.ts';
import { CLAIMS, NOW } from './issuer.ts';

const EPOCH = NOW - 1000;

let now: number;
let acceptances: Acceptances;

beforeEach(() => {
  now = NOW;
  acceptances = new Acceptances(EPOCH, 8);
});

const session = (sub: string, versions = { s: 10, t: 20, r: 30 }, sid = `${sub}-laptop`) =>
  sessionVersions({ ...CLAIMS, sub, sid, ten: 'acme', ver: { ...versions, at: NOW } });
const [alice, bob] = [session('alice'), session('bob')];

function accept(...sessions: (typeof alice)[]): void {
  for (const one of sessions) acceptances.add(one, now - EPOCH);
}
/** The clock has never leapt. */
const EVER = Number.NEGATIVE_INFINITY;
/** What came of a bump whose event was acknowledged at a time, as far as clocks can tell. */
const exposed = (scope: ScopeKey, current: number, since = NOW, certainSince = since) =>
  acceptances.exposures([{ scope, current, since, certainSince }], EVER)[0];
const requests = (scope: ScopeKey, current: number, since = NOW) => exposed(scope, current, since)?.requests;

describe('the exposure to a bump', () => {
  test('is the requests that were accepted from a time on', () => {
    accept(alice);
    now += 5;
    accept(alice, bob, alice);
    expect(requests('u:alice', 11, NOW + 5)).toBe(2);
    expect(requests('u:alice', 11, NOW + 6)).toBe(0);
    expect(requests('u:alice', 11, NOW)).toBe(3);
  });

  test('is a least number where a request of its sessions came as it was acknowledged, before or after', () => {
    accept(alice);
    now += 10;
    accept(alice);
    expect(exposed('u:alice', 11, NOW, NOW + 10)).toEqual({ requests: 1, atLeast: true });
    expect(exposed('u:alice', 11, NOW + 1, NOW + 10)).toEqual({ requests: 1, atLeast: false });
    expect(exposed('u:alice', 11, NOW + 1, NOW + 11)).toEqual({ requests: 0, atLeast: true });
    expect(exposed('u:bob', 11, NOW, NOW + 11)).toEqual({ requests: 0, atLeast: false });
    expect(exposed('u:alice', 10, NOW, NOW + 11)).toEqual({ requests: 0, atLeast: false });
  });

  test('is a least number where the clock has leapt since', () => {
    accept(alice);
    const at = (since: number) =>
      acceptances.exposures([{ scope: 'u:alice', current: 11, since, certainSince: since }], NOW + 5)[0];
    expect(at(NOW)).toEqual({ requests: 1, atLeast: true });
    expect(at(NOW + 6)).toEqual({ requests: 0, atLeast: false });
  });

  test('is nothing where nothing was accepted', () => {
    expect(exposed('u:alice', 11)).toEqual({ requests: 0, atLeast: false });
  });

  test('leaves out sessions that the bump leaves alone', () => {
    accept(alice, session('alice', { s: 11, t: 20, r: 30 }));
    expect(requests('u:alice', 11)).toBe(1);
    expect(requests('u:alice', 10)).toBe(0);
    expect(requests('u:carol', 99)).toBe(0);
  });

  test('is of the scope that is bumped: a tenant, the realm, one session', () => {
    accept(alice, bob, bob);
    expect(requests('t:acme', 21)).toBe(3);
    expect(requests('t:acme', 20)).toBe(0);
    expect(requests('t:other', 21)).toBe(0);
    expect(requests('r', 31)).toBe(3);
    expect(requests('r', 30)).toBe(0);
    expect(requests('s:bob-laptop', 1)).toBe(2);
  });

  test('leaves out a session without a tenant where a tenant is bumped', () => {
    accept(sessionVersions(CLAIMS));
    expect(requests('t:acme', 21)).toBe(0);
  });

  test('is told of each of many bumps, of which several may be of one scope', () => {
    accept(alice);
    now += 10;
    accept(alice, bob);
    const told = acceptances.exposures(
      [
        { scope: 'u:alice', current: 11, since: NOW, certainSince: NOW },
        { scope: 'u:bob', current: 11, since: NOW + 11, certainSince: NOW + 11 },
        { scope: 'u:alice', current: 12, since: NOW + 10, certainSince: NOW + 10 },
        { scope: 't:acme', current: 21, since: NOW, certainSince: NOW },
      ],
      EVER,
    );
    expect(told.map((one) => one.requests)).toEqual([2, 0, 1, 3]);
  });

  test('leaves out what was taken back: of that session alone, and the newest first', () => {
    accept(alice);
    now += 10;
    accept(alice, bob, alice, bob);
    acceptances.takeBack(alice);
    expect(requests('u:alice', 11)).toBe(2);
    acceptances.takeBack(alice);
    acceptances.takeBack(session('carol'));
    expect(requests('u:alice', 11)).toBe(1);
    expect(requests('u:alice', 11, NOW + 10)).toBe(0);
    expect(requests('u:bob', 11)).toBe(2);
    for (let i = 0; i < 3; i++) acceptances.takeBack(alice);
    expect(requests('t:acme', 21)).toBe(2);
  });

  test('is a least number also where the oldest that is remembered was taken back', () => {
    for (let i = 0; i < 8; i++) accept(alice);
    for (let i = 0; i < 8; i++) acceptances.takeBack(alice);
    expect(exposed('u:alice', 11)).toEqual({ requests: 0, atLeast: true });
  });

  test('is a least number where more was accepted since than is remembered', () => {
    for (let i = 0; i < 8; i++) accept(alice);
    now += 1;
    expect(exposed('u:alice', 11, NOW + 1)).toEqual({ requests: 0, atLeast: false });
    expect(exposed('u:alice', 11)).toEqual({ requests: 8, atLeast: true });
    accept(bob);
    expect(exposed('u:alice', 11)).toEqual({ requests: 7, atLeast: true });
    for (let i = 0; i < 7; i++) accept(bob);
    expect(exposed('u:alice', 11)).toEqual({ requests: 0, atLeast: true });
    expect(exposed('u:bob', 11, NOW + 1)).toEqual({ requests: 8, atLeast: true });
    expect(exposed('u:bob', 11, NOW + 2)).toEqual({ requests: 0, atLeast: false });
  });
});
