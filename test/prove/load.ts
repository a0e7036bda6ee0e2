import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@curfew/contracts';
import { authorizationOf } from '../../infra/local/clients.mjs';
import type { Grant, Place } from './history.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { World } from './world.ts';

const SUBJECTS_PER_PARTITION = 3;
const TENANTS = ['acme', 'globex', 'initech'];
const REQUEST_LIMIT_MS = 3000;

/** A session as its user holds it. */
interface Held {
  readonly sid: string;
  readonly token: number;
  readonly refreshToken: string;
}

interface GrantBody {
  readonly sid: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly version: Grant['version'];
}

/** Account names, the same number in each partition. */
export function subjectsIn(partitions: number, perPartition = SUBJECTS_PER_PARTITION, prefix = 'user'): string[] {
  const counts = new Array<number>(partitions).fill(0);
  const subjects: string[] = [];
  for (let i = 0; subjects.length < partitions * perPartition; i++) {
    const subject = `${prefix}-${i}`;
    const partition = partitionOf(subject, partitions);
    if ((counts[partition] ?? 0) >= perPartition) continue;
    counts[partition] = (counts[partition] ?? 0) + 1;
    subjects.push(subject);
  }
  return subjects;
}

/** Users who sign in, refresh and log out, and an identity system that changes their accounts. */
export class Load {
  readonly #world: World;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #signal: AbortSignal;

  constructor(world: World, recorder: Recorder, random: Random, signal: AbortSignal) {
    this.#world = world;
    this.#recorder = recorder;
    this.#random = random;
    this.#signal = signal;
  }

  /** Makes requests until the signal comes. */
  async run(): Promise<void> {
    const users = subjectsIn(this.#world.partitions).map((subject) => this.#live(subject));
    await Promise.all([...users, this.#tenants(), this.#poison()]);
  }

  /** Signs in once; undefined where it was refused or not answered. */
  async signIn(subject: string, after?: Place): Promise<Held | undefined> {
    const body = { subject, tenant: this.#tenantOf(subject), roles: ['buyer'], ...(after && { after }) };
    const requestedAt = Date.now();
    const granted = await this.#post('/v1/sessions', body);
    if (granted === undefined) return undefined;
    return this.#hold({ subject, requestedAt, ...(after && { after }) }, granted);
  }

  /** One account, its user and its identity system, step by step. */
  async #live(subject: string): Promise<void> {
    const random = this.#random;
    let held: Held[] = [];
    let last: Place | undefined;
    let disabled = false;
    while (!this.#signal.aborted) {
      await this.#pause(300, 2500);
      const draw = random.next();
      if (disabled && draw < 0.5) {
        const enabled = await this.#publish((publisher) => publisher.accountEnabled({ subject }));
        disabled = enabled === undefined;
        last = enabled ?? last;
      } else if (held.length === 0 || draw < 0.4) {
        // Most sign-ins name the event that they come after; some hope for the best.
        const session = await this.signIn(subject, random.next() < 0.7 ? last : undefined);
        if (session !== undefined) held = [...held.slice(-2), session];
      } else if (draw < 0.55) {
        const renewed = await this.#refresh(subject, random.pick(held));
        held = held.filter(({ sid }) => sid !== renewed.sid).concat(renewed.held ?? []);
      } else if (draw < 0.6) {
        const { sid } = random.pick(held);
        await this.#recorder.published(`logout-${randomUUID()}`, () => this.#delete(`/v1/sessions/${sid}`));
        held = held.filter((one) => one.sid !== sid);
      } else if (draw < 0.95) {
        const event = random.weighted(EVENTS);
        const { sid } = random.pick(held);
        const place = await this.#publish((publisher) => event.publish(publisher, subject, sid));
        last = place ?? last;
        disabled = event.disables === true;
        // Some users come back with the session that has ended.
        if (event.ends && random.next() < 0.7) held = held.filter((one) => event.keeps === true && one.sid === sid);
      }
    }
  }

  async #refresh(subject: string, { sid, token, refreshToken }: Held): Promise<{ sid: string; held?: Held }> {
    const requestedAt = Date.now();
    const granted = await this.#post('/v1/sessions/refresh', { refreshToken });
    return granted === undefined
      ? { sid }
      : { sid, held: this.#hold({ subject, requestedAt, refreshOf: token }, granted) };
  }

  #hold(
    asked: Pick<Grant, 'subject' | 'requestedAt' | 'after' | 'refreshOf'>,
    { sid, accessToken, refreshToken, version }: GrantBody,
  ): Held {
    const grant = { ...asked, tenant: this.#tenantOf(asked.subject), sid, version, receivedAt: Date.now() };
    return { sid, refreshToken, token: this.#recorder.granted(grant, accessToken) };
  }

  async #tenants(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.#pause(4000, 12_000);
      const tenant = this.#random.next() < 0.15 ? '*' : this.#random.pick(TENANTS);
      if (!this.#signal.aborted) await this.#publish((publisher) => publisher.sessionRevoked({ tenant }));
    }
  }

  /** Records that cannot be understood, between the others. */
  async #poison(): Promise<void> {
    for (let count = 0; !this.#signal.aborted; count++) {
      await this.#pause(3000, 6000);
      if (this.#signal.aborted) return;
      await this.#recorder.published(`poison-${count}`, () => this.#world.sendPoison(`poison-${count}`), true);
    }
  }

  async #publish(publish: (publisher: World['publisher']) => Promise<Place>): Promise<Place | undefined> {
    return (await this.#recorder.published(`unacknowledged-${randomUUID()}`, () => publish(this.#world.publisher)))
      ?.place;
  }

  #tenantOf(subject: string): string {
    return TENANTS[partitionOf(subject, TENANTS.length)] ?? '';
  }

  async #post(path: string, body: unknown): Promise<GrantBody | undefined> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#request(path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(
      () => undefined,
    );
    return answer?.ok ? ((await answer.json()) as GrantBody) : undefined;
  }

  async #delete(path: string): Promise<Place & { id: string }> {
    const answer = await this.#request(path, { method: 'DELETE' });
    const published = (await answer.json()) as Partial<Place & { id: string }>;
    const { id, partition, offset } = published;
    if (id === undefined || partition === undefined || offset === undefined) throw new Error('not acknowledged');
    return { id, partition, offset };
  }

  #request(
    path: string,
    { headers = {}, ...init }: { method: string; headers?: object; body?: string },
  ): Promise<Response> {
    const { url } = this.#random.pick(this.#world.sessionServices);
    return fetch(`${url}${path}`, {
      ...init,
      headers: { ...headers, authorization: authorizationOf('login') },
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
  }

  async #pause(min: number, max: number): Promise<void> {
    await sleep(this.#random.between(min, max), undefined, { signal: this.#signal }).catch(() => {});
  }
}

interface Event {
  readonly weight: number;
  readonly ends?: true;
  readonly keeps?: true;
  readonly disables?: true;
  publish(publisher: World['publisher'], subject: string, sid: string): Promise<Place>;
}

const EVENTS: readonly Event[] = [
  { weight: 45, ends: true, publish: (publisher, subject) => publisher.passwordChanged({ subject }) },
  {
    weight: 15,
    ends: true,
    keeps: true,
    publish: (publisher, subject, sid) => publisher.passwordChanged({ subject, sessionToKeep: sid }),
  },
  { weight: 15, publish: (publisher, subject) => publisher.rolesChanged({ subject, roles: ['seller'] }) },
  { weight: 10, ends: true, publish: (publisher, subject, session) => publisher.sessionRevoked({ subject, session }) },
  { weight: 5, ends: true, publish: (publisher, subject) => publisher.sessionRevoked({ subject }) },
  { weight: 10, ends: true, disables: true, publish: (publisher, subject) => publisher.accountDisabled({ subject }) },
];
