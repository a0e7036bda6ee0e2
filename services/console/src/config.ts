import { CurfewError } from '@curfew/contracts';
import { ENV, listOf, readConfig } from '@curfew/http';
import { Type } from 'typebox';

const DEFAULT_PORT = 7000;

export const ENVIRONMENT = Type.Object({
  CURFEW_SESSION_SERVICE_URL: Type.String({ pattern: '^https?://', default: 'http://127.0.0.1:7001' }),
  CURFEW_CONSOLE_CREDENTIAL: Type.String({ pattern: '^[^:]+:.+$' }),
  CURFEW_CONSOLE_ORIGIN: Type.Optional(Type.String({ pattern: '^https?://' })),
  CURFEW_TRACE_URL: Type.String({ pattern: '^(https?://.*\\{traceId\\}.*)?$', default: '' }),
  HOST: ENV.host,
  PORT: ENV.port(DEFAULT_PORT),
});

/**
 * Reads the service's environment.
 *
 * @throws CurfewError `option_invalid`, naming the variable.
 */
export function readConsoleConfig(environment: NodeJS.ProcessEnv = process.env) {
  const env = readConfig(ENVIRONMENT, environment);
  return {
    /** Every instance, of which the first that answers is asked; the counters of all are added up. */
    sessionServiceUrls: listOf(env.CURFEW_SESSION_SERVICE_URL),
    /** `id:secret` of a client with the scope `sessions:read`. */
    credential: env.CURFEW_CONSOLE_CREDENTIAL,
    /** Where browsers find this console: requests that come by another name, or from another page, are refused. */
    origins: listOf(env.CURFEW_CONSOLE_ORIGIN ?? `http://127.0.0.1:${env.PORT},http://localhost:${env.PORT}`).map(
      originOf,
    ),
    /** Where a trace is shown, with `{traceId}` in it; undefined: nowhere. */
    traceUrl: env.CURFEW_TRACE_URL || undefined,
    host: env.HOST,
    port: env.PORT,
  };
}

function originOf(text: string): string {
  if (!URL.canParse(text))
    throw new CurfewError('option_invalid', `CURFEW_CONSOLE_ORIGIN has ${text}, which is no URL`);
  return new URL(text).origin;
}
