import { Replica } from '@curfew/replica';
import { Acceptances } from '../../../libs/sidecar/src/acceptances.ts';
import { Authenticator } from '../../../libs/sidecar/src/authenticator.ts';
import { createClock } from '../../../libs/sidecar/src/clock.ts';
import { report } from '../report.ts';
import { signedTokens } from './tokens.ts';

/** `authenticate` of tokens that were verified before: the cache, the token's expiry, and the version check. */

const TOKENS = 4096;
const BATCH = 256;
const WARM_UP_BATCHES = 2000;
const BATCHES = 5000;

const { tokens, checkToken } = await signedTokens(TOKENS);
const clock = createClock();
const { now } = clock;
const PARTITIONS = 12;
/** A day: the ticks below are as old as the run is long. */
const MAX_VIEW_AGE_MS = 86_400_000;
const replica = new Replica({
  partitions: PARTITIONS,
  horizon: now() - 900_000,
  now: clock.elapsed,
  epoch: clock.epoch,
});
for (let partition = 0; partition < PARTITIONS; partition++)
  replica.apply(partition, { kind: 'tick', tick: now(), offset: 0 }, now());
const authenticator = new Authenticator({
  checkToken,
  checkAt: (versions, maxViewAgeMs, elapsed) => replica.checkAt(versions, maxViewAgeMs, elapsed),
  readThrough: undefined,
  acceptances: new Acceptances(clock.epoch),
  tokenCacheSize: TOKENS,
  clock,
});
for (const token of tokens) await authenticator.authenticate(token, 'strict', MAX_VIEW_AGE_MS);

let next = 0;
let accepted = 0;
/** Each request brings its token as a string of its own, whose hash nobody has computed yet. */
const fromTheWire = (): string => Buffer.from(tokens[next++ & (TOKENS - 1)] ?? '').toString('latin1');

function batch(): number {
  const arrived = Array.from({ length: BATCH }, fromTheWire);
  const from = process.hrtime.bigint();
  for (const token of arrived) {
    const answer = authenticator.authenticate(token, 'strict', MAX_VIEW_AGE_MS);
    if ('ok' in answer && answer.ok) accepted++;
  }
  return Number(process.hrtime.bigint() - from) / BATCH;
}

for (let i = 0; i < WARM_UP_BATCHES; i++) batch();
const samples = Array.from({ length: BATCHES }, batch);
if (accepted !== (WARM_UP_BATCHES + BATCHES) * BATCH) throw new Error('a token was not accepted from the cache');
report(samples);
