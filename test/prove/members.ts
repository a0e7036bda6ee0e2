import { setTimeout as sleep } from 'node:timers/promises';
import { inRoot } from '../../infra/local/paths.mjs';
import { type Started, startProcess } from '../../infra/local/processes.mjs';
import { nodeBinary, startService } from '../../infra/local/services.mjs';
import { type Decision, OUTCOMES, type Outcome, type POLICIES } from './history.ts';
import type { Random } from './random.ts';
import { decisionsOf, type FromSidecar, type SidecarSettings, type ToSidecar } from './sidecar-protocol.ts';
import { TokenPool } from './token-pool.ts';
import type { Victim } from './victim.ts';

/** A service with a sidecar, under load. */
export interface Member extends Victim {
  /** A token that it will be asked about from now on. */
  give(token: number, accessToken: string): void;
  /** Its word on tokens, each once, on a strict route; those that it does not answer are absent. */
  judge(tokens: readonly number[]): Promise<Decision[]>;
  /** Ends the load. */
  rest(): void;
}

export interface MemberOptions {
  readonly settings: SidecarSettings;
  readonly directory: string;
  readonly onDecisions: (decisions: Decision[]) => void;
}

/** How long a member may take to judge, ms. */
const JUDGE_LIMIT_MS = 5000;
const REQUEST_LIMIT_MS = 1500;
/** Requests that wait for an answer of one service, at most. */
const MAX_REQUESTS = 16;

/** A process of test/prove that embeds the sidecar: many decisions a second, each with its source. */
export class EmbeddedMember implements Member {
  readonly name: string;
  readonly #options: MemberOptions;
  readonly #known: ToSidecar[] = [];
  #onVerdicts: (verdicts: Decision[]) => void = () => {};
  #process: Started;
  #resting = false;
  /** How far its clock is ahead from its next start on, ms. */
  skewMs: number;

  private constructor(options: MemberOptions, process: Started) {
    this.name = options.settings.service;
    this.#options = options;
    this.skewMs = options.settings.skewMs;
    this.#process = process;
  }

  static async start(options: MemberOptions): Promise<EmbeddedMember> {
    const hears = { onMessage: (_message: FromSidecar) => {} };
    const started = await startEmbedded(options, options.settings, (message) => hears.onMessage(message));
    const member = new EmbeddedMember(options, started);
    hears.onMessage = (message) => member.#hear(message);
    return member;
  }

  get process(): Started {
    return this.#process;
  }

  give(token: number, accessToken: string): void {
    const message = { kind: 'token', token, accessToken } as const;
    this.#known.push(message);
    this.#process.send(message);
  }

  async judge(tokens: readonly number[]): Promise<Decision[]> {
    const verdicts = new Promise<Decision[]>((resolve) => {
      this.#onVerdicts = resolve;
    });
    const message: ToSidecar = { kind: 'judge', tokens };
    this.#process.send(message);
    return (await Promise.race([verdicts, sleep(JUDGE_LIMIT_MS, undefined, { ref: false })])) ?? [];
  }

  rest(): void {
    this.#resting = true;
  }

  kill(): Promise<void> {
    return this.#process.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.kill();
    const { settings } = this.#options;
    // Another seed, so that it does not ask about the same tokens again.
    const next = { ...settings, skewMs: this.skewMs, seed: settings.seed + this.#known.length };
    this.#process = await startEmbedded(this.#options, next, (message) => this.#hear(message));
    for (const message of this.#known) this.#process.send(message);
  }

  #hear({ kind, rows }: FromSidecar): void {
    const decisions = decisionsOf(this.name, rows);
    if (kind === 'verdicts') this.#onVerdicts(decisions);
    else if (!this.#resting) this.#options.onDecisions(decisions);
  }
}

const startEmbedded = (
  { directory }: MemberOptions,
  settings: SidecarSettings,
  onMessage: (message: FromSidecar) => void,
): Promise<Started> =>
  startProcess({
    name: settings.service,
    command: nodeBinary(),
    args: ['--max-old-space-size=256', inRoot('test/prove/sidecar-process.ts')],
    env: { ...process.env, CURFEW_PROVE_SIDECAR: JSON.stringify(settings) },
    log: `${directory}/${settings.service}.log`,
    onMessage: (message) => onMessage(message as FromSidecar),
  });

/** The sample service as it is, asked over HTTP. */
export class StorefrontMember implements Member {
  readonly name: string;
  readonly #options: MemberOptions;
  readonly #port: number;
  readonly #random: Random;
  readonly #pool: TokenPool;
  #process: Started;
  #timer: NodeJS.Timeout;
  #waiting = 0;

  private constructor(options: MemberOptions, port: number, random: Random, process: Started) {
    this.name = options.settings.service;
    this.#options = options;
    this.#port = port;
    this.#random = random;
    this.#pool = new TokenPool(random);
    this.#process = process;
    this.#timer = setInterval(() => this.#askOne(), 1000 / options.settings.decisionsPerSecond);
  }

  static async start(options: MemberOptions, port: number, random: Random): Promise<StorefrontMember> {
    return new StorefrontMember(options, port, random, await startStorefront(options, port, true));
  }

  get process(): Started {
    return this.#process;
  }

  give(token: number, accessToken: string): void {
    this.#pool.add(token, accessToken);
  }

  async judge(tokens: readonly number[]): Promise<Decision[]> {
    const judged: Decision[] = [];
    for (const token of tokens) judged.push(await this.#ask(token, 'strict'));
    return judged;
  }

  rest(): void {
    clearInterval(this.#timer);
  }

  kill(): Promise<void> {
    return this.#process.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#process = await startStorefront(this.#options, this.#port, false);
  }

  #askOne(): void {
    const token = this.#pool.draw();
    if (token === undefined || this.#waiting >= MAX_REQUESTS) return;
    const policy = this.#random.next() < 0.8 ? 'strict' : 'lenient';
    this.#waiting++;
    this.#ask(token, policy).then((decision) => {
      this.#waiting--;
      this.#pool.learn(token, decision.outcome);
      this.#options.onDecisions([decision]);
    });
  }

  async #ask(token: number, policy: (typeof POLICIES)[number]): Promise<Decision> {
    const at = Date.now();
    const outcome = await this.#outcome(token, policy).catch((): Outcome => 'unanswered');
    return { member: this.name, token, policy, outcome, source: 'unknown', at, tookMs: Date.now() - at };
  }

  async #outcome(token: number, policy: (typeof POLICIES)[number]): Promise<Outcome> {
    // The storefront's strict route and its lenient one.
    const url = `http://127.0.0.1:${this.#port}/${policy === 'strict' ? 'payments' : 'orders'}`;
    const headers = { authorization: `Bearer ${this.#pool.accessToken(token)}` };
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    const { code, provable = true } = (await answer.json()) as { code?: string; provable?: boolean };
    if (answer.ok) return provable ? 'accepted' : 'unproven';
    return OUTCOMES.find((outcome) => outcome === code) ?? 'unanswered';
  }
}

const startStorefront = (
  { directory, settings: { service, brokers, redisUrl, issuer, audience, windowMs, maxViewAgeMs } }: MemberOptions,
  port: number,
  awaitReady: boolean,
): Promise<Started> =>
  startService(
    {
      name: service,
      folder: 'storefront',
      port,
      env: {
        CURFEW_SERVICE_NAME: service,
        CURFEW_KAFKA_BROKERS: brokers.join(','),
        CURFEW_REDIS_URL: redisUrl,
        CURFEW_ISSUER: issuer,
        CURFEW_AUDIENCE: audience,
        CURFEW_WINDOW_MS: `${windowMs}`,
        CURFEW_MAX_VIEW_AGE_MS: `${maxViewAgeMs}`,
      },
    },
    { directory, awaitReady },
  );
