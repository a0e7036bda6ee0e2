import type { SidecarReport } from '@curfew/contracts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { Output } from '../output.ts';
import { formatTable } from '../table.ts';
import { inMs, timeOfDay } from '../words.ts';

export const sidecars: Command = {
  summary: 'Lists the sidecars: state, age of the oldest view, when they were heard of last',
  usage: '',
  options: {},
  example: 'curfew sidecars',

  async run(_given, { sessionService, output }) {
    const fleet = await sessionService.get<{ sidecars: SidecarReport[] }>('/v1/sidecars');
    output.answer(fleet, ({ sidecars }) =>
      sidecars.length === 0 ? 'No sidecar has said anything in the last minute.' : table(sidecars, output),
    );
    return EXIT.ok;
  },
};

export const isLive = ({ state }: SidecarReport): boolean => state === 'live';

/** Age of a sidecar's oldest view, ms; undefined before any. */
export const oldestViewMs = ({ partitions }: SidecarReport): number | undefined =>
  partitions.length === 0 ? undefined : Math.max(...partitions.map(({ ageMs }) => ageMs));

function table(fleet: readonly SidecarReport[], output: Output): string {
  const rows = fleet.map((sidecar) => {
    const oldestMs = oldestViewMs(sidecar);
    return [
      sidecar.service,
      sidecar.instance,
      output.paint(isLive(sidecar) ? 'green' : 'red', sidecar.state),
      oldestMs === undefined ? '' : inMs(oldestMs),
      inMs(sidecar.boundMs),
      sidecar.lagRecords === undefined ? '' : String(sidecar.lagRecords),
      timeOfDay(sidecar.lastReceiptAt),
    ];
  });
  const columns = [
    { title: 'service' },
    { title: 'instance' },
    { title: 'state' },
    { title: 'oldest view', align: 'right' },
    { title: 'bound', align: 'right' },
    { title: 'lag', align: 'right' },
    { title: 'last receipt (UTC)' },
  ] as const;
  return formatTable(columns, rows);
}
