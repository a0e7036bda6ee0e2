import { setTimeout as sleep } from 'node:timers/promises';
import type { RevocationReport } from '@curfew/contracts';
import { CurfewError, REALM_ID } from '@curfew/contracts';
import type { Accepted, SessionReport } from '../answers.ts';
import { type Command, type Context, type Given, misused } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readShown } from '../shown-session.ts';
import { revocationWords } from '../words.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** How long the service is asked to hold one answer: so often the progress is told, ms. */
const SLICE_MS = 500;
/** Until an event is applied the service does not know its id, ms. */
const RETRY_MS = 20;

export const revoke: Command = {
  summary: 'Ends the sessions of an account, a tenant or everybody, or one session',
  usage: '(--subject <id> | --session <sid> | --tenant <id> | --everyone) [--reason <text>] [--wait]',
  options: {
    subject: { type: 'string', says: 'the account whose sessions end' },
    session: { type: 'string', says: 'the one session that ends: its sid' },
    tenant: { type: 'string', says: 'the customer organisation whose sessions end' },
    everyone: { type: 'boolean', says: 'all sessions there are' },
    reason: { type: 'string', says: 'for an administrator to read' },
    wait: { type: 'boolean', says: 'until it is effective on every sidecar; exit code 1 where the time runs out' },
    'timeout-ms': { type: 'string', says: `how long --wait waits, ms, 1 to 600000; default ${DEFAULT_TIMEOUT_MS}` },
  },
  example: 'curfew revoke --subject alice --reason "laptop lost" --wait',

  async run(given, { sessionService, output }) {
    const timeoutMs = timeoutOf(given);
    const subjectId = await subjectIdOf(given, sessionService);
    const reason = given.text('reason');
    const body = { sub_id: subjectId, ...(reason === undefined ? {} : { reason }) };
    const accepted = await sessionService.post<Accepted>('/v1/revocations', { body });
    if (!given.flag('wait')) {
      output.answer(accepted, acceptedWords);
      return EXIT.ok;
    }
    const report = await untilEffective(accepted.id, timeoutMs, { sessionService, output });
    if (report === undefined) output.answer({ ...accepted, effective: false }, unappliedWords);
    else output.answer(report, (report) => revocationWords(report, output));
    return exitCodeFor(report);
  },
};

export const exitCodeFor = (report: RevocationReport | undefined): ExitCode =>
  report?.effective ? EXIT.ok : EXIT.problem;

/** The last report before the time ran out; undefined where the event was not applied by then. */
async function untilEffective(
  id: string,
  timeoutMs: number,
  { sessionService, output }: Pick<Context, 'sessionService' | 'output'>,
): Promise<RevocationReport | undefined> {
  const until = performance.now() + timeoutMs;
  let report: RevocationReport | undefined;
  for (;;) {
    const leftMs = Math.ceil(until - performance.now());
    if (leftMs <= 0 || report?.effective) return report;
    output.progress(`event ${id} is effective on ${report?.summary ?? 'no sidecar yet'}`);
    const sliceMs = Math.min(SLICE_MS, leftMs);
    const query = { wait: 'effective', timeoutMs: sliceMs };
    try {
      report = await sessionService.get(`/v1/revocations/${encodeURIComponent(id)}`, { query });
    } catch (error) {
      if (!(error instanceof CurfewError) || error.code !== 'revocation_not_found') throw error;
      await sleep(Math.min(RETRY_MS, sliceMs));
    }
  }
}

const opaque = (id: string) => ({ format: 'opaque', id });

/** Whose sessions end, as RFC 9493 and SSF say it. */
async function subjectIdOf(given: Given, sessionService: Context['sessionService']): Promise<unknown> {
  const [subject, session, tenant] = ['subject', 'session', 'tenant'].map((option) => given.text(option));
  const everyone = given.flag('everyone') ? REALM_ID : undefined;
  const scopes = [session ?? subject, tenant, everyone].filter((scope) => scope !== undefined);
  if (scopes.length !== 1)
    throw misused(
      'revoke',
      'give one of --subject, --session, --tenant and --everyone (--session may have a --subject)',
    );
  if (tenant === REALM_ID) throw misused('revoke', 'all tenants are --everyone');
  if (session !== undefined) {
    const shown = readShown(session);
    const user = subject ?? shown.subject ?? (await ownerOf(shown.sid, sessionService));
    return { format: 'complex', user: opaque(user), session: opaque(shown.sid) };
  }
  return subject === undefined ? { format: 'complex', tenant: opaque(tenant ?? REALM_ID) } : opaque(subject);
}

const ownerOf = async (sid: string, sessionService: Context['sessionService']): Promise<string> =>
  (await sessionService.get<SessionReport>(`/v1/sessions/${encodeURIComponent(sid)}`)).subject;

function timeoutOf(given: Given): number {
  const text = given.text('timeout-ms');
  const timeoutMs = Number(text ?? DEFAULT_TIMEOUT_MS);
  if (text !== undefined && !given.flag('wait')) throw misused('revoke', '--timeout-ms is for --wait');
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 600_000)
    throw misused('revoke', '--timeout-ms is not a number of ms from 1 to 600000');
  return timeoutMs;
}

const acceptedWords = ({ id, status }: Accepted): string =>
  `${status ?? 'accepted'}: event ${id}\n\`curfew status ${id}\` says what it has reached`;

const unappliedWords = ({ id }: Accepted): string =>
  `not effective yet: event ${id} is not applied; \`curfew status ${id}\` asks again`;
