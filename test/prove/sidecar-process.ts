import { createSidecar, type Policy } from '@curfew/sidecar';
import { OUTCOMES, POLICIES, SOURCES } from './history.ts';
import { createRandom } from './random.ts';
import type { FromSidecar, SidecarSettings, ToSidecar } from './sidecar-protocol.ts';

/** A service that embeds the real sidecar, and asks it about tokens for as long as it lives. */

const BATCHES_PER_SECOND = 20;
/** Tokens that were given out last are asked about most. */
const RECENT_TOKENS = 120;

const settings = JSON.parse(process.env['CURFEW_PROVE_SIDECAR'] ?? '{}') as SidecarSettings;
const { seed, skewMs, decisionsPerSecond, ...options } = settings;
const random = createRandom(seed);
const sidecar = createSidecar({
  ...options,
  now: () => Date.now() + skewMs,
  onWarning: (message) => console.log(new Date().toISOString(), message),
});

const known: { readonly token: number; readonly accessToken: string }[] = [];
let rows: number[] = [];

async function decide(token: number, accessToken: string, policy: Policy): Promise<number[]> {
  const at = Date.now();
  const answer = await sidecar.authenticate(accessToken, policy);
  const outcome = !answer.ok ? answer.code : answer.session.provable ? 'accepted' : 'unproven';
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
  for (let i = 0; i < decisionsPerSecond / BATCHES_PER_SECOND && known.length > 0; i++) {
    const recent = random.next() < 0.75 ? known.slice(-RECENT_TOKENS) : known;
    const { token, accessToken } = random.pick(recent);
    decide(token, accessToken, random.next() < 0.8 ? 'strict' : 'lenient').then((row) => rows.push(...row));
  }
  if (rows.length > 0) tell({ kind: 'decisions', rows });
  rows = [];
}

async function judge(tokens: readonly number[]): Promise<void> {
  const asked = known.filter(({ token }) => tokens.includes(token));
  const judged = await Promise.all(asked.map(({ token, accessToken }) => decide(token, accessToken, 'strict')));
  tell({ kind: 'verdicts', rows: judged.flat() });
}

const tell = (message: FromSidecar) => process.send?.(message);

process.on('message', (message: ToSidecar) => {
  if (message.kind === 'token') known.push(message);
  else judge(message.tokens);
});
process.on('disconnect', () => process.exit());

setInterval(decideSome, 1000 / BATCHES_PER_SECOND);
sidecar.start().catch((error) => console.log(`${error}`));
