import type { SidecarReport } from '@curfew/contracts/reports';
import { clock, count, duration, list } from '../page/words.js';
import type { Headline, Situation } from './headline.ts';

/** One thing that may be wrong; undefined where it is not. */
type Rule = (situation: Situation) => Headline | undefined;

/** How much longer than the bound a revocation may be pending before it is bad, ms: receipts come once a second. */
const RECEIPT_SLACK_MS = 1500;

export const heard: Rule = ({ hearing: { lastAt, failure }, sidecars }) => {
  if (failure === undefined) return undefined;
  const boundMs = Math.max(0, ...sidecars.map((one) => one.boundMs));
  return {
    level: 'unknown',
    text: failure,
    details: [
      lastAt === undefined ? 'Nothing is known yet' : `What is shown is of ${clock(lastAt)} UTC`,
      ...(boundMs > 0 ? [`If it is down, strict routes refuse by themselves within ${duration(boundMs)}`] : []),
    ],
  };
};

export const ready: Rule = ({ hearing: { failure, notReady } }) =>
  failure === undefined && notReady !== undefined
    ? { level: 'bad', text: 'The session service is not ready', details: [notReady] }
    : undefined;

export const late: Rule = ({ now, sidecars, revocations }) => {
  const limitMs = Math.max(0, ...sidecars.map((one) => one.boundMs)) + RECEIPT_SLACK_MS;
  const all = revocations.filter(({ effective, at }) => !effective && now - Date.parse(at) > limitMs);
  if (all.length === 0) return undefined;
  const real = all.filter(({ canary }) => canary !== true);
  const overdue = real.length > 0 ? real : all;
  const pending = overdue.flatMap((one) => one.sidecars.filter(({ effective }) => !effective));
  const services = [...new Set(pending.map(({ service }) => service))];
  const oldest = Math.min(...overdue.map(({ at }) => Date.parse(at)));
  return {
    level: 'bad',
    text: `${real.length > 0 ? count(real.length, 'revocation') : 'Canaries'} not proven effective ${
      services.length > 0 ? `on ${list(services)}` : 'anywhere'
    }`,
    details: [`The oldest was acknowledged at ${clock(oldest)} UTC`],
  };
};

export const silent: Rule = ({ now, sidecars }) => {
  const mute = sidecars.filter(({ state }) => state === 'silent');
  if (mute.length === 0) return undefined;
  return {
    level: 'warning',
    text: `${mute.length} of ${count(sidecars.length, 'sidecar')} silent: ${servicesOf(mute)}`,
    details: mute.slice(0, 3).map(({ service, instance, lastReceiptAt, leaseUntil }) => {
      const until = Date.parse(leaseUntil);
      const lease =
        until > now
          ? `may accept by what it knew until ${clock(until)}`
          : `refuses by itself on strict routes since ${clock(until)}`;
      return `${service} (${instance}) was last heard at ${clock(Date.parse(lastReceiptAt))} UTC; it ${lease}`;
    }),
  };
};

export const abandoned: Rule = (situation) => {
  if (situation.abandoned.length === 0) return undefined;
  return {
    level: 'warning',
    text: `No sidecar of ${servicesOf(situation.abandoned)} reports any more`,
    details: situation.abandoned
      .slice(0, 3)
      .map(
        (one) => `${one.service} was last heard at ${clock(Date.parse(one.lastReceiptAt))} UTC, and said no goodbye`,
      ),
  };
};

export const lagging: Rule = ({ sidecars }) => {
  const behind = sidecars.filter(({ state }) => state === 'behind' || state === 'cut-off' || state === 'starting');
  if (behind.length === 0) return undefined;
  return {
    level: 'warning',
    text: `${behind.length} of ${count(sidecars.length, 'sidecar')} behind: ${servicesOf(behind)}`,
    details: behind.slice(0, 3).map(({ service, instance, state, boundMs, partitions }) => {
      const ages = partitions.map(({ ageMs }) => ageMs);
      const oldest = ages.length === 0 ? 'it has no view yet' : `its oldest view is ${duration(Math.max(...ages))} old`;
      return `${service} (${instance}) is ${state}: ${oldest}, and strict routes refuse at ${duration(boundMs)}`;
    }),
  };
};

const servicesOf = (sidecars: readonly SidecarReport[]): string => list(sidecars.map(({ service }) => service));

/** When nothing is wrong. */
export function allIsWell({ sidecars, revocations, propagation: { p99 } }: Situation): Headline {
  if (sidecars.length === 0)
    return {
      level: 'unknown',
      text: 'No sidecar reports',
      details: ['A revocation is recorded, and effective nowhere yet'],
    };
  const of = `${sidecars.length} of ${count(sidecars.length, 'sidecar')}`;
  const bound = duration(Math.max(...sidecars.map(({ boundMs }) => boundMs)));
  // A canary, of which there is always one about, ends nothing.
  const pending = revocations.filter(({ effective, canary }) => !effective && canary !== true);
  return {
    level: 'good',
    text:
      pending.length === 0
        ? 'Revocations are effective everywhere'
        : `${count(pending.length, 'revocation')} pending, others are effective everywhere`,
    details: [of, ...(p99 === undefined ? [] : [`p99 ${duration(p99)}, of a bound of ${bound}`])],
  };
}
