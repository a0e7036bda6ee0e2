import { noted, quantile, type Reports, time, whole } from './report.ts';

const TARGET_BYTES = 450;
const TARGET_MEGABYTES = 100;
const MEGABYTE = 1e6;

/** What `--only store` says, with the targets of issue 5. */
export function sayStore(reports: Reports): readonly string[] {
  const note = (name: string) => (which: string) => noted(reports[name] ?? [], which);
  const [ours, others] = [note('store-sessions'), note('store-others')];
  const [tenant, signIns] = [note('store-tenant'), note('store-sign-ins')];
  const sessions = ours('sessions');
  const keys = ours('create.recordBytes') + ours('create.indexBytes');
  const ofAll = (bytes: number) => `${((bytes * sessions) / MEGABYTE).toFixed(1)} MB`;
  const memory = (name: string, used: number, more = '') =>
    `${name.padEnd(34)} ${whole(used).padStart(6)} bytes a session, ${ofAll(used).padStart(8)} in all${more}`;
  const target = (met: boolean) => (met ? 'met' : 'MISSED');
  const rate = (name: string, of: (which: string) => number, phase: string, floor?: string) => {
    const perSecond = of(`${phase}.perSecond`);
    const beside = floor === undefined ? '' : `   ${(perSecond / ours(`${floor}.perSecond`)).toFixed(2)} of ${floor}`;
    const cores = `Node ${of(`${phase}.nodeCores`).toFixed(2)} cores, Redis ${of(`${phase}.redisCores`).toFixed(2)}`;
    return `${name.padEnd(34)} ${whole(perSecond).padStart(8)} a second   ${cores}${beside}`;
  };
  const used = ours('create.usedBytes');
  const all = (used * sessions) / MEGABYTE;
  const ended = others('fewer');
  return [
    `${whole(sessions)} sessions in one Redis`,
    memory('the reference record, by INFO', used),
    memory('after a refresh of each', ours('exchange.usedBytes')),
    memory('with a UUID for a subject', others('uuid.usedBytes')),
    memory('with a user agent of 111 bytes', others('userAgent.usedBytes')),
    memory('and hash-max-listpack-value 1024', others('userAgentInListpack.usedBytes')),
    memory('2 KB of JSON by SET', others('json.usedBytes'), `, ${(others('json.usedBytes') / used).toFixed(1)} times`),
    `by MEMORY USAGE ${keys} bytes: the record ${ours('create.recordBytes')}, at most ${ours('create.recordBytesMost')}; its index ${ours('create.indexBytes')}`,
    `targets: at most ${TARGET_BYTES} bytes a session by MEMORY USAGE ${target(keys <= TARGET_BYTES)}, by INFO ${target(used <= TARGET_BYTES)}; under ${TARGET_MEGABYTES} MB by INFO ${target(all < TARGET_MEGABYTES)}`,
    rate('creates', ours, 'create', 'SET'),
    rate('exchanges of a refresh token', ours, 'exchange', 'SET'),
    rate('refreshes, with the versions read', ours, 'refresh', 'SET'),
    rate('reads', ours, 'read', 'GET'),
    rate('SET of as many bytes', ours, 'SET'),
    rate('GET of as many bytes', ours, 'GET'),
    rate('2 KB of JSON, SET', others, 'json'),
    rate('2 KB of JSON, GET', others, 'json GET'),
    rate('bumps', others, 'bump', 'SET'),
    `${whole(others('bump.usedBytes'))} bytes a bump, kept for CURFEW_VERSION_TTL_MS`,
    `${'sign-ins at one session service'.padEnd(34)} ${whole(signIns('perSecond')).padStart(8)} a second   p99 ${time(quantile(reports['store-sign-ins'] ?? [], 0.99))}`,
    `a tenant of ${whole(tenant('sessions'))} ended by one event: the first rejected ${tenant('firstRejectedMs').toFixed(1)} ms after the acknowledgement, all ${tenant('allRejectedMs').toFixed(1)} ms; ${tenant('mostScripts')} script and ${tenant('mostOtherCommands')} other commands to Redis, ${tenant('mostRecords')} record announced`,
    `${whole(ended)} keys ended one by one (UNLINK): ${whole((ended * 1000) / others('json UNLINK.perSecond'))} ms, ${whole(ended)} commands`,
  ];
}
