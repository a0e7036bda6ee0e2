import { CurfewError, parseSubjectId, sessionScope, subjectScope, tenantScope } from '@curfew/contracts';
import type { App } from '@curfew/http';
import type { Fleet } from '../receipts/fleet.ts';
import type { Reports } from '../receipts/reports.ts';
import type { Revocations } from '../sessions/revocations.ts';
import {
  AcceptedReply,
  DEFAULT_LIMIT,
  DEFAULT_WAIT_MS,
  ListQuery,
  RevocationParams,
  RevocationReport,
  RevocationsReply,
  SidecarsReply,
  WaitQuery,
} from './revocation-bodies.ts';
import { reportReply, sidecarsReply } from './revocation-replies.ts';
import { RevocationBody } from './session-bodies.ts';

export interface RevocationRoutes {
  readonly revocations: Pick<Revocations, 'end'>;
  readonly reports: Pick<Reports, 'report' | 'whenEffective' | 'list'>;
  readonly fleet: Pick<Fleet, 'present'>;
  /** How long an acknowledged event takes until it is announced, ms, while nothing is broken. */
  readonly maxViewAgeMs: number;
}

/** `/v1/revocations` and `/v1/sidecars`: what ends, and where that holds. */
export function revocationRoutes(app: App, { revocations, reports, fleet, maxViewAgeMs }: RevocationRoutes): void {
  app.post(
    '/v1/revocations',
    {
      config: { scope: 'revocations:write' },
      schema: {
        summary: 'End the sessions of an account, a tenant, or everybody; and be told when that holds everywhere',
        querystring: WaitQuery,
        body: RevocationBody,
        response: { 200: RevocationReport, 202: AcceptedReply },
      },
    },
    async ({ body: { sub_id, reason }, query: { wait, timeoutMs = DEFAULT_WAIT_MS } }, reply) => {
      const subjectId = parseSubjectId(sub_id);
      if (!subjectId.ok) throw new CurfewError('set_rejected', subjectId.detail, { reason: subjectId.code });
      const why = reason === undefined ? {} : { reason };
      const cause = { subjectId: subjectId.value, initiatingEntity: 'admin', ...why } as const;
      const revocation = await revocations.end(cause);
      if (wait === undefined || 'status' in revocation) return reply.code(202).send(revocation);
      const limits = { limitMs: timeoutMs, announcedWithinMs: timeoutMs };
      const report = await reports.whenEffective(revocation.id, limits);
      if (report?.effective) return reply.code(200).send(reportReply(report));
      return reply.code(202).send(report === undefined ? revocation : reportReply(report));
    },
  );

  app.get(
    '/v1/revocations/:id',
    {
      config: { scope: 'sessions:read' },
      schema: {
        summary: 'Where, and since when, an account event is effective',
        params: RevocationParams,
        querystring: WaitQuery,
        response: { 200: RevocationReport },
      },
    },
    async ({ params: { id }, query: { wait, timeoutMs = DEFAULT_WAIT_MS } }) => {
      const limits = { limitMs: timeoutMs, announcedWithinMs: Math.min(timeoutMs, maxViewAgeMs) };
      const report = await (wait === undefined ? reports.report(id) : reports.whenEffective(id, limits));
      if (report === undefined) throw new CurfewError('revocation_not_found');
      return reportReply(report);
    },
  );

  app.get(
    '/v1/revocations',
    {
      config: { scope: 'sessions:read' },
      schema: { summary: 'The newest revocations', querystring: ListQuery, response: { 200: RevocationsReply } },
    },
    async ({ query: { limit = DEFAULT_LIMIT, canaries = false, since, subject, session, tenant } }) => {
      const scopes = [
        ...(subject === undefined ? [] : [subjectScope(subject)]),
        ...(session === undefined ? [] : [sessionScope(session)]),
        ...(tenant === undefined ? [] : [tenantScope(tenant)]),
      ];
      const after = since === undefined ? 0 : Date.parse(since);
      // A leap second is a time of RFC 3339, and none of JavaScript's.
      if (Number.isNaN(after)) throw new CurfewError('body_invalid', 'since is no time');
      const listed = await reports.list({ limit, canaries, since: after, scopes });
      return {
        revocations: listed.reports.map(reportReply),
        ...(listed.isTruncated ? { truncated: true } : {}),
      };
    },
  );

  app.get(
    '/v1/sidecars',
    {
      config: { scope: 'sessions:read' },
      schema: { summary: 'The sidecars, by what they said last', response: { 200: SidecarsReply } },
    },
    async () => {
      const now = Date.now();
      return sidecarsReply(fleet.present(now), now);
    },
  );
}
