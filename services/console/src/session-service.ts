import { randomBytes } from 'node:crypto';
import { CurfewError, ERRORS, type ErrorCode } from '@curfew/contracts';
import type { RevocationReport, SidecarReport } from '@curfew/contracts/reports';
import { authorizationOf } from '../page/credential.js';

/** What the session service answered: its status, and the JSON in it. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface SessionServiceOptions {
  /** Every instance; the first that answers is asked. */
  readonly urls: readonly string[];
  /** `id:secret` of the console's own client. */
  readonly credential: string;
}

interface Question {
  readonly method?: 'GET' | 'POST';
  readonly authorization?: string;
  readonly body?: unknown;
  /** Longest wait for one instance, ms. */
  readonly timeoutMs?: number;
}

/** How long a read may take, ms: less than the second between two polls. */
const READ_TIMEOUT_MS = 900;

/** The session service over HTTP, asked as the console unless an operator's credential is given. */
export class SessionService {
  readonly #urls: readonly string[];
  readonly #authorization: string;

  constructor({ urls, credential }: SessionServiceOptions) {
    this.#urls = urls;
    this.#authorization = authorizationOf(credential);
  }

  async sidecars(): Promise<readonly SidecarReport[]> {
    return (await this.read<{ sidecars: SidecarReport[] }>('/v1/sidecars')).sidecars;
  }

  async revocations(query: Readonly<Record<string, string>>, timeoutMs?: number): Promise<readonly RevocationReport[]> {
    const path = `/v1/revocations?${new URLSearchParams(query)}`;
    return (await this.read<{ revocations: RevocationReport[] }>(path, timeoutMs)).revocations;
  }

  /** Undefined where it is not known any more. */
  async revocation(id: string): Promise<RevocationReport | undefined> {
    try {
      return await this.read(`/v1/revocations/${encodeURIComponent(id)}`);
    } catch (error) {
      if (error instanceof CurfewError && error.code === 'revocation_not_found') return undefined;
      throw error;
    }
  }

  /** What still keeps it from its work, in words; undefined where it is ready. */
  async notReady(): Promise<string | undefined> {
    const { status, body } = await this.ask('/readyz');
    return status === 200 ? undefined : `${(body as { detail?: unknown }).detail ?? `answers ${status}`}`;
  }

  /** The metrics of each instance that answers, by its address. Behind one there may be several, each asked in turn. */
  async metrics(): Promise<ReadonlyMap<string, string>> {
    const texts = await Promise.allSettled(
      this.#urls.map(async (url): Promise<[string, string]> => {
        // A connection that is kept leads to the same instance for ever.
        const headers = { connection: 'close' };
        const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
        const answer = await fetch(new URL('/metrics', url), { headers, signal });
        return [url, answer.ok ? await answer.text() : ''];
      }),
    );
    return new Map(texts.flatMap((text) => (text.status === 'fulfilled' ? [text.value] : [])));
  }

  /**
   * What a `GET` of the console answers.
   *
   * @throws CurfewError of the session service's own code where there is no such thing, else `upstream_unavailable`.
   */
  async read<T>(path: string, timeoutMs?: number): Promise<T> {
    const { status, body } = await this.ask(path, timeoutMs === undefined ? {} : { timeoutMs });
    if (status === 200) return body as T;
    const { code } = (body ?? {}) as { code?: unknown };
    if (status === 404 && isErrorCode(code)) throw new CurfewError(code);
    throw new CurfewError('upstream_unavailable', `The session service answers ${status} ${code ?? ''}`.trim());
  }

  /**
   * One request, to the first instance that answers. A revocation that two of them made ends the sessions all the same.
   *
   * @throws CurfewError `upstream_unavailable` where none answers.
   */
  async ask(path: string, question: Question = {}): Promise<Answer> {
    const { method = 'GET', authorization = this.#authorization, body, timeoutMs = READ_TIMEOUT_MS } = question;
    let cause: unknown;
    for (const url of this.#urls) {
      try {
        const answer = await fetch(new URL(path, url), {
          method,
          headers: {
            authorization,
            ...(method === 'GET' ? { traceparent: unsampled() } : {}),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        return { status: answer.status, body: await answer.json() };
      } catch (error) {
        cause = error;
      }
    }
    throw new CurfewError('upstream_unavailable', 'The session service does not answer', { cause });
  }
}

/** A `traceparent` (W3C Trace Context) that has nobody behind record: reads are asked again and again. */
const unsampled = (): string => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code);
