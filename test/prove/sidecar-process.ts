import { createSidecar, type Policy } from '@curfew/sidecar';
import { OUTCOMES, POLICIES, SOURCES } from './history.ts';
import { createRandom } from './random.ts';
import type { FromSidecar, SidecarSettings, ToSidecar } from './sidecar-protocol.ts';
import { TokenPool } from './token-pool.ts';

/** A service that embeds the real sidecar, and asks it about tokens for as long as it lives. */

const BATCHES_PER_SECOND = 20;

const settings = JSON.parse(process.env['CURFEW_PROVE_SIDECAR'] ?? '{}') as SidecarSettings;
const { seed, skewMs, decisionsPerSecond, ...options } = settings;
const random = createRandom(seed);
const pool = new TokenPool(random);
const sidecar = createSidecar({
  ...options,
  now: () => Date.now() + skewMs,
  onWarning: (message) => console.log(new Date().toISOString(), message),
});

let rows: number[] = [];

async function decide(token: number, policy: Policy): Promise<number[]> {
  const accessToken = pool.accessToken(token) ?? '';
  const at = Date.now();
  const answer = await sidecar.authenticate(accessToken, policy);
  const outcome = !answer.ok ? answer.code : answer.session.provable ? 'accepted' : 'unproven';
  pool.learn(token, outcome);
  return [
    token,
    POLICIES.indexOf(policy),
    OUTCOMES.indexOf(outcome),
    SOURCES.indexOf(answer.ok ? answer.session.source : answer.source),
    at,
    Date.now() - at,
  ];
}

function decideSome(): void {
  for (let i = 0; i < decisionsPerSecond / BATCHES_PER_SECOND; i++) {
    const token = pool.draw();
    if (token === undefined) return;
    decide(token, random.next() < 0.8 ? 'strict' : 'lenient').then((row) => rows.push(...row));
  }
  if (rows.length > 0) tell({ kind: 'decisions', rows });
  rows = [];
}

async function judge(tokens: readonly number[]): Promise<void> {
  const judged = await Promise.all(tokens.map((token) => decide(token, 'strict')));
  tell({ kind: 'verdicts', rows: judged.flat() });
}

const tell = (message: FromSidecar) => process.send?.(message);

process.on('message', (message: ToSidecar) => {
  if (message.kind === 'token') pool.add(message.token, message.accessToken);
  else judge(message.tokens);
});
process.on('disconnect', () => process.exit());

setInterval(decideSome, 1000 / BATCHES_PER_SECOND);
sidecar.start().catch((error) => console.log(`${error}`));
