import type { RevocationReport } from '@curfew/contracts';
import { CurfewError, type VersionRecord } from '@curfew/contracts';
import type { SessionReport } from '../answers.ts';
import { type Cause, causeOf, type VersionedSession, versionsOf } from '../cause.ts';
import type { Command, Context } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { LogEntry } from '../kafka-log.ts';
import { readShown, type ShownSession } from '../shown-session.ts';
import { effectOf, exposureOf } from '../words.ts';

/** Clocks of the service that dated the session and of the broker may differ so far, ms. */
const MARGIN_MS = 60_000;

export const why: Command = {
  summary: 'Says which event ended a session, or made it stale',
  usage: '<sid, session id or token | ->',
  options: {},
  operand: true,
  example: 'pbpaste | curfew why -    # a token is read on this machine alone, never sent, and not checked',

  async run({ operand = '' }, context) {
    const shown = readShown(operand === '-' ? (await context.read()).trim() : operand);
    const cause = await causeFor(shown, context);
    const { sid, expiresAt } = shown;
    if (cause === undefined) {
      const verdict = expiresAt !== undefined && expiresAt <= Date.now() ? 'expired' : 'active';
      context.output.answer({ sid, verdict }, () => UNCAUSED[verdict]);
      return EXIT.ok;
    }
    const revocation = await reportOf(cause.id, context);
    const traceId = revocation?.traceId ?? cause.traceId;
    const told = { ...cause, at: new Date(cause.at).toISOString() };
    context.output.answer({ sid, ...told, ...(traceId && { traceId }), ...(revocation && { revocation }) }, causeWords);
    return EXIT.ok;
  },
};

const UNCAUSED = {
  active: 'No event has ended this session or made it stale.',
  expired: 'No event has ended this session or made it stale. The token itself has expired: refresh it.',
};

async function causeFor(shown: ShownSession, context: Context): Promise<Cause | undefined> {
  const session = await versioned(shown, context);
  if (session !== undefined) return causeInLog(session, context);
  const { revocations, truncated } = await context.sessionService.get<{
    revocations: RevocationReport[];
    truncated?: true;
  }>('/v1/revocations', { query: { session: shown.sid, limit: 1000 } });
  const first = revocations.findLast(({ scopes }) => scopes.includes(`s:${shown.sid}`));
  if (first === undefined)
    throw new CurfewError(
      'session_not_found',
      `this session is not known any more, and no revocation of the last ${truncated ? 'thousand' : 'day'} names it: ${
        truncated ? 'an older one may, or ' : ''
      }it has expired, or never was`,
    );
  return { ...first, verdict: 'revoked', scope: `s:${shown.sid}`, at: Date.parse(first.at) };
}

/** With its versions: the token's own, or those of the record; undefined where there is no record. */
async function versioned(shown: ShownSession, { sessionService }: Context): Promise<VersionedSession | undefined> {
  const { subject, version } = shown;
  if (subject !== undefined && version !== undefined) return { ...shown, subject, version };
  try {
    const session = await sessionService.get<SessionReport>(`/v1/sessions/${encodeURIComponent(shown.sid)}`);
    return { ...shown, ...session };
  } catch (error) {
    if (error instanceof CurfewError && error.code === 'session_not_found') return undefined;
    throw error;
  }
}

async function causeInLog(session: VersionedSession, { settings, output }: Context): Promise<Cause | undefined> {
  const { readVersions } = await import('../kafka-log.ts');
  const wanted = versionsOf(session);
  const announced: LogEntry<VersionRecord>[] = [];
  output.progress('reading what was announced since the session was made');
  const log = await readVersions({
    ...settings.kafka,
    windowMs: Math.max(0, Date.now() - session.version.at) + MARGIN_MS,
    take: ({ record, ...entry }) => {
      if (record.kind === 'version' && wanted.has(record.scope)) announced.push({ ...entry, record });
    },
  });
  await log.close();
  return causeOf(session, announced);
}

/** What the session service knows of the event. It may have forgotten it, or be away: what is asked is answered by then. */
async function reportOf(id: string, { sessionService }: Context): Promise<RevocationReport | undefined> {
  try {
    return await sessionService.get<RevocationReport>(`/v1/revocations/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof CurfewError) return undefined;
    throw error;
  }
}

interface ToldCause extends Omit<Cause, 'at'> {
  /** RFC 3339. */
  readonly at: string;
  readonly revocation?: RevocationReport;
}

function causeWords({ verdict, scope, why, id, at, traceId, revocation }: ToldCause): string {
  const became = verdict === 'revoked' ? 'Ended' : 'Made stale (it has to renew)';
  return [
    `${became} by ${why} of ${scope}, acknowledged ${at}`,
    ...(revocation === undefined ? [] : [`${effectOf(revocation)}; let through meanwhile: ${exposureOf(revocation)}`]),
    `event ${id}${traceId === undefined ? '' : `, trace ${traceId}`}`,
  ].join('\n');
}
