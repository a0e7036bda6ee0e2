import type { RevocationReport, SidecarReport } from '@curfew/contracts';
import type { Command, Context } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { effectOf, exposureOf, inMs, revocationWords, timeOfDay } from '../words.ts';
import { exitCodeFor } from './revoke.ts';
import { isLive, oldestViewMs } from './sidecars.ts';

export const status: Command = {
  summary: 'Says in one sentence how the fleet is, or what one revocation has reached',
  usage: '[<event id>]',
  options: {},
  operand: true,
  example: 'curfew status 7f3c1a52-6d0e-4f5b-9a57-0d5f3a1f6f10',

  run: ({ operand }, context) => (operand === undefined ? ofFleet(context) : ofRevocation(operand, context)),
};

async function ofRevocation(id: string, { sessionService, output }: Context): Promise<ExitCode> {
  const report = await sessionService.get<RevocationReport>(`/v1/revocations/${encodeURIComponent(id)}`);
  output.answer(report, (report) => revocationWords(report, output));
  return exitCodeFor(report);
}

async function ofFleet({ sessionService, output }: Context): Promise<ExitCode> {
  const [{ sidecars }, { revocations }] = await Promise.all([
    sessionService.get<{ sidecars: SidecarReport[] }>('/v1/sidecars'),
    sessionService.get<{ revocations: RevocationReport[] }>('/v1/revocations', { query: { limit: 1 } }),
  ]);
  const fleet = fleetOf(sidecars, revocations[0]);
  output.answer(fleet, (fleet) => output.paint(fleet.ok ? 'green' : 'red', sentenceOf(fleet)));
  return fleet.ok ? EXIT.ok : EXIT.problem;
}

interface FleetStatus {
  /** Every sidecar is live, and the newest revocation effective. */
  readonly ok: boolean;
  readonly sidecars: number;
  readonly notLive: readonly Pick<SidecarReport, 'service' | 'instance' | 'state'>[];
  /** Age of the oldest view of a live sidecar, ms, and the smallest bound. */
  readonly oldestViewMs?: number;
  readonly boundMs?: number;
  readonly newest?: RevocationReport;
}

function fleetOf(sidecars: readonly SidecarReport[], newest: RevocationReport | undefined): FleetStatus {
  const counted = sidecars.filter(({ state }) => state !== 'closed');
  const notLive = counted.filter((sidecar) => !isLive(sidecar));
  const ages = counted.filter(isLive).flatMap((sidecar) => oldestViewMs(sidecar) ?? []);
  return {
    ok: counted.length > 0 && notLive.length === 0 && newest?.effective !== false,
    sidecars: counted.length,
    notLive: notLive.map(({ service, instance, state }) => ({ service, instance, state })),
    ...(ages.length === 0
      ? {}
      : { oldestViewMs: Math.max(...ages), boundMs: Math.min(...counted.map(({ boundMs }) => boundMs)) }),
    ...(newest === undefined ? {} : { newest }),
  };
}

function sentenceOf({ sidecars, notLive, oldestViewMs, boundMs, newest }: FleetStatus): string {
  const others = notLive.map(({ service, instance, state }) => `${service} ${instance} is ${state}`).join(', ');
  const who =
    sidecars === 0
      ? 'No sidecar says anything'
      : `${sidecars - notLive.length} of ${sidecars} sidecars are live${others && ` (${others})`}`;
  const age =
    oldestViewMs === undefined || boundMs === undefined
      ? ''
      : `, their oldest view ${inMs(oldestViewMs)} old (bound ${inMs(boundMs)})`;
  const last =
    newest === undefined
      ? 'there was no revocation lately'
      : `the newest revocation (${newest.why}, ${timeOfDay(newest.at)} UTC) is ${effectOf(newest)}, let through meanwhile: ${exposureOf(newest)}`;
  return `${who}${age}; ${last}.`;
}
