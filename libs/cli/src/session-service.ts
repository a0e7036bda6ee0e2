import { CurfewError, ERRORS, type ErrorCode } from '@curfew/contracts';
import type { Settings } from './settings.ts';

interface Request {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Longest wait for the answer, ms. Default 5000. */
  readonly limitMs?: number;
}

const LIMIT_MS = 5000;

/** The session service, as its HTTP says it (DESIGN section 8). */
export class SessionService {
  readonly #settings: Pick<Settings, 'sessionServiceUrl' | 'credential'>;

  constructor(settings: Pick<Settings, 'sessionServiceUrl' | 'credential'>) {
    this.#settings = settings;
  }

  get<T>(path: string, request: Request = {}): Promise<T> {
    return this.#ask('GET', path, request);
  }

  post<T>(path: string, request: Request = {}): Promise<T> {
    return this.#ask('POST', path, request);
  }

  /** What keeps the service from doing its work, in words; undefined where nothing does. */
  async notReady(): Promise<string | undefined> {
    const { status, body } = await this.#fetch('GET', '/readyz', {});
    return status === 200 ? undefined : ((body as { detail?: string } | undefined)?.detail ?? `it answers ${status}`);
  }

  /** @throws CurfewError of the problem that the service answers with; `upstream_unavailable` where it does not answer. */
  async #ask<T>(method: string, path: string, request: Request): Promise<T> {
    const { sessionServiceUrl, credential } = this.#settings;
    if (credential === undefined)
      throw new CurfewError(
        'option_invalid',
        'CURFEW_CREDENTIAL is not set: it is the <id>:<secret> of a client of the session service (CURFEW_CLIENTS there)',
      );
    const { status, body } = await this.#fetch(method, path, request, authorizationOf(credential));
    if (status < 300 && body !== undefined) return body as T;
    const problem = (body ?? {}) as { code?: string; title?: string; detail?: string };
    if (!isErrorCode(problem.code))
      throw new CurfewError('upstream_unavailable', `what answers at ${sessionServiceUrl} is no session service`);
    throw new CurfewError(problem.code, `${problem.detail ?? problem.title}${ADVICE[problem.code] ?? ''}`);
  }

  async #fetch(
    method: string,
    path: string,
    { body, query = {}, limitMs = LIMIT_MS }: Request,
    authorization?: string,
  ) {
    const { sessionServiceUrl } = this.#settings;
    const url = new URL(`${sessionServiceUrl}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    try {
      const reply = await fetch(url, {
        method,
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(limitMs),
      });
      return { status: reply.status, body: parsed(await reply.text()) };
    } catch (error) {
      const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException };
      const why = name === 'TimeoutError' ? `not within ${limitMs / 1000} s` : (cause?.code ?? name);
      throw new CurfewError(
        'upstream_unavailable',
        `the session service at ${sessionServiceUrl} does not answer: ${why}. Does it run, and is CURFEW_SESSION_SERVICE_URL right?`,
      );
    }
  }
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  client_unauthenticated: '. CURFEW_CREDENTIAL is to be the <id>:<secret> of one in CURFEW_CLIENTS there',
  scope_insufficient: '. Give the client of CURFEW_CREDENTIAL that scope, or take another',
};

const isErrorCode = (code: string | undefined): code is ErrorCode => code !== undefined && Object.hasOwn(ERRORS, code);

/** RFC 6749, section 2.3.1: id and secret are form-urlencoded in it. */
function authorizationOf(credential: string): string {
  const colon = credential.indexOf(':');
  const encoded = [credential.slice(0, colon), credential.slice(colon + 1)].map(encodeURIComponent).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
