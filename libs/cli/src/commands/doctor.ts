import { CurfewError } from '@curfew/contracts';
import type { Command, Context } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { type ClockFacts, judgeClocks } from '../doctor/judge-clocks.ts';
import { judgeTicks, judgeTopics } from '../doctor/judge-kafka.ts';
import { judgeRedis } from '../doctor/judge-redis.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Output } from '../output.ts';

export const doctor: Command = {
  summary: 'Examines topics, Redis, clocks and the session service, and says what to do',
  usage: '',
  options: {},
  example: 'curfew doctor',

  async run(_given, context) {
    const { output } = context;
    output.progress('looking at Kafka, Redis and the session service, and listening to ticks');
    const findings = await examine(context);
    output.answer({ findings }, ({ findings }) => findings.map((finding) => wordsOf(finding, output)).join('\n'));
    return verdictOf(findings);
  },
};

/** What cannot be reached weighs more: what is wrong there is not known. */
export function verdictOf(findings: readonly Finding[]): ExitCode {
  const levels = new Set(findings.map(({ level }) => level));
  if (levels.has('unreachable')) return EXIT.unreachable;
  return levels.has('problem') ? EXIT.problem : EXIT.ok;
}

async function examine({ settings, sessionService }: Context): Promise<Finding[]> {
  const [kafka, redis] = await Promise.all([import('../doctor/kafka-facts.ts'), import('../doctor/redis-facts.ts')]);
  const clocks: ClockFacts[] = [];
  const found = await Promise.all([
    attempt('kafka', async () => {
      const topics = judgeTopics(await kafka.topicFacts(settings.kafka));
      if (topics.some(({ code }) => code === 'topic_absent')) return topics;
      const ticks = await attempt('kafka', async () => {
        const listened = await kafka.listenToTicks(settings.kafka);
        clocks.push(...listened.clocks);
        return [judgeTicks(listened.ticks)];
      });
      return [...topics, ...ticks];
    }),
    attempt('redis', async () => {
      const { servers, clocks: ofServers } = await redis.redisFacts(settings.redis);
      clocks.push(...ofServers);
      return judgeRedis(servers, settings.redis.url.includes(','));
    }),
    attempt('session-service', async () => [readiness(await sessionService.notReady())]),
  ]);
  return [...found.flat(), ...judgeClocks(clocks)];
}

async function attempt(part: Finding['part'], look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    return [{ code: error.reason ?? error.code, part, level: 'unreachable', says: error.detail ?? error.message }];
  }
}

function readiness(notReady: string | undefined): Finding {
  const part = 'session-service';
  if (notReady === undefined) return { code: 'ready', part, level: 'ok', says: 'it is ready' };
  const todo = 'mend what it names; its log says more';
  return { code: 'not_ready', part, level: 'problem', says: `it is not ready: ${notReady}`, todo };
}

const MARKS = {
  ok: ['green', '✓'],
  warning: ['yellow', '!'],
  problem: ['red', '✗'],
  unreachable: ['red', '✗'],
} as const;

function wordsOf({ part, level, says, todo }: Finding, output: Output): string {
  const [style, mark] = MARKS[level];
  const line = `${output.paint(style, mark)} ${part.padEnd('session-service'.length)}  ${says}`;
  return todo === undefined
    ? line
    : `${line}\n  ${' '.repeat('session-service'.length)}  ${output.paint('dim', `→ ${todo}`)}`;
}
