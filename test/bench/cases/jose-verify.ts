import { report } from '../report.ts';
import { signedTokens } from './tokens.ts';

/** The same check of the same tokens without the cache: a signature each time. */

const TOKENS = 1024;
const WARM_UP = 2000;
const CALLS = 10_000;

const { tokens, checkToken } = await signedTokens(TOKENS);

let next = 0;
async function verify(): Promise<number> {
  const token = tokens[next++ & (TOKENS - 1)] ?? '';
  const from = process.hrtime.bigint();
  const checked = await checkToken(token);
  const took = Number(process.hrtime.bigint() - from);
  if (!checked.ok) throw new Error(checked.code);
  return took;
}

for (let i = 0; i < WARM_UP; i++) await verify();
const samples: number[] = [];
for (let i = 0; i < CALLS; i++) samples.push(await verify());
report(samples);
