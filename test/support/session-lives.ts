import { createSecretKey, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTokenCheck } from '@curfew/sidecar/token-check';
import { exportJWK, generateKeyPair } from 'jose';
import { vi } from 'vitest';
import { Fleet } from '../../services/session-service/src/receipts/fleet.ts';
import { Reports } from '../../services/session-service/src/receipts/reports.ts';
import { Grants } from '../../services/session-service/src/sessions/grants.ts';
import type { LifecycleChange } from '../../services/session-service/src/sessions/lifecycle.ts';
import { LIFETIMES } from '../../services/session-service/src/sessions/lifetimes.ts';
import { RefreshTokens } from '../../services/session-service/src/sessions/refresh-tokens.ts';
import { Renewals } from '../../services/session-service/src/sessions/renewals.ts';
import type { Revocations } from '../../services/session-service/src/sessions/revocations.ts';
import { Sessions } from '../../services/session-service/src/sessions/sessions.ts';
import { ShownTokens } from '../../services/session-service/src/sessions/shown-tokens.ts';
import { SignIns, type SignInsOptions } from '../../services/session-service/src/sessions/sign-ins.ts';
import { readSigningKeys } from '../../services/session-service/src/sessions/signing-keys.ts';
import { UntilTold } from '../../services/session-service/src/sessions/until-told.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { MemorySessions } from './memory-sessions.ts';
import { MemoryVersions } from './memory-stores.ts';

export const REUSE_GRACE_MS = 10_000;

/** The lives of sessions on stores in memory, with a clock that a test sets. */
export async function sessionLives(
  start: number,
  options: Partial<Pick<SignInsOptions, 'maxSessionsPerSubject' | 'limitRule'>> = {},
) {
  const clock = { now: start };
  const now = () => clock.now;
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const keys = await readSigningKeys(JSON.stringify(await exportJWK(privateKey)));
  const versions = new MemoryVersions();
  versions.tick = start - 100;
  const store = new MemorySessions(now);
  const end = vi.fn<Revocations['end']>(async (_revocation, decided) => {
    await decided?.();
    return { id: 'jti', partition: 1, offset: 2 };
  });
  const changes: LifecycleChange[] = [];
  const refreshTokens = new RefreshTokens([createSecretKey(randomBytes(32))]);
  const tokens = { keys, issuer: 'https://issuer', audience: 'shop', accessTtlMs: 600_000 };
  const life = {
    versions,
    store,
    revocations: { end },
    refreshTokens,
    grants: new Grants({ tokens, refreshTokens, now }),
    maxViewAgeMs: 2000,
    maxClockSkewMs: 250,
    now,
    onLifecycle: (change: LifecycleChange) => void changes.push(change),
    untilTold: new UntilTold(() => sleep(10, undefined, { ref: false })),
  };
  const renewals = new Renewals({ ...life, reuseGraceMs: REUSE_GRACE_MS });
  const signIns = new SignIns({
    ...life,
    renewals,
    lifetimes: LIFETIMES,
    maxSessionsPerSubject: 0,
    limitRule: 'end-oldest',
    sleep: async (ms) => {
      clock.now += ms;
    },
    ...options,
  });
  const sessions = new Sessions(life);
  const { issuer, audience } = tokens;
  const checkToken = createTokenCheck({ issuer, audience, maxClockSkewMs: 250, now }, keys.getKey);
  const shownTokens = new ShownTokens({ ...life, sessions, checkToken, issuer, audience });
  const fleet = new Fleet();
  const reports = new Reports({
    fleet,
    ledger: new MemoryLedger(),
    boundMs: life.maxViewAgeMs,
    now: Date.now,
    isComplete: () => true,
    onEffective: () => {},
    warn: () => {},
  });
  /** Time passes, and ticks go on. */
  const pass = (ms: number) => {
    clock.now += ms;
    versions.tick = clock.now - 100;
  };
  return {
    clock,
    pass,
    keys,
    versions,
    store,
    end,
    changes,
    refreshTokens,
    renewals,
    signIns,
    sessions,
    shownTokens,
    fleet,
    reports,
    maxViewAgeMs: life.maxViewAgeMs,
  };
}
