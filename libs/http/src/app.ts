import type { Server } from 'node:http';
import { CurfewError, type ErrorCode, problemHeaders, problemOf } from '@curfew/contracts';
import swagger from '@fastify/swagger';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify, { type FastifyError, type FastifyHttpOptions, type FastifyReply, LogController } from 'fastify';
import type { Access } from './callers/access.ts';
import { SECURITY_SCHEMES } from './callers/openapi.ts';
import { callers } from './callers/plugin.ts';
import { answerClientError } from './client-errors.ts';
import { type Health, healthRoutes } from './health.ts';

export interface AppOptions extends Health {
  /** The service's name, as in `/openapi.json` and in the log. */
  readonly name: string;
  /** pino level; default `info`. */
  readonly logLevel?: string;
  /** Who may call; without it every route takes anybody, unless a plugin of the service's own sees to it. */
  readonly access?: Access;
}

/** Largest request body, bytes. */
const BODY_LIMIT = 64 * 1024;

/** Longest id in a path: 256 characters of three bytes, each as `%xx`. */
const MAX_PARAM_LENGTH = 256 * 3 * 3;

const CODE_OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_VALIDATION: 'body_invalid',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body_invalid',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body_invalid',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body_invalid',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
};

/** A Fastify instance as every Curfew service has it: schemas by TypeBox, problem+json, health, metrics, OpenAPI. */
export async function createApp(options: AppOptions) {
  const { access } = options;
  const app = fastify({
    // One type of application, whatever it listens with.
    ...(access?.tls ? { https: access.tls } : {}),
    trustProxy: [...(access?.trustedProxies ?? [])],
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // What fails before a route is found: such errors reach no error handler.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, 'request_invalid', error.message),
    clientErrorHandler: answerClientError,
    logger: { name: options.name, level: options.logLevel ?? 'info' },
    logController: new LogController({ disableRequestLogging: true }),
  } as FastifyHttpOptions<Server>)
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(TypeBoxValidatorCompiler);

  app.setErrorHandler<FastifyError | CurfewError | Error>((error, request, reply) => {
    if (error instanceof CurfewError) {
      if (error.status >= 500) request.log.warn({ code: error.code, err: error }, error.message);
      return sendProblem(reply, error.code, error.detail, error);
    }
    const fastifyCode = 'code' in error ? error.code : '';
    const code =
      CODE_OF_FASTIFY[fastifyCode] ?? ((error as FastifyError).statusCode === 400 ? 'body_invalid' : 'internal');
    if (code === 'internal') request.log.error({ err: error }, 'request failed');
    return sendProblem(reply, code, code === 'internal' ? undefined : error.message);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 'route_not_found'));

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `Curfew ${options.name}`, version: '1' },
      ...(access ? { components: { securitySchemes: SECURITY_SCHEMES } } : {}),
    },
  });
  if (access) await app.register(callers, access);
  await app.register(healthRoutes, {
    notReady: options.notReady,
    ...(options.telemetry ? { telemetry: options.telemetry } : {}),
  });
  return app;
}

export type App = Awaited<ReturnType<typeof createApp>>;

/** Answers with problem+json and the headers that belong to the code. */
export function sendProblem(
  reply: FastifyReply,
  code: ErrorCode,
  detail?: string,
  { retryAfter, reason }: Partial<Pick<CurfewError, 'retryAfter' | 'reason'>> = {},
): FastifyReply {
  const problem = problemOf(code, detail, reason);
  return reply
    .code(problem.status)
    .headers(problemHeaders(code, true, retryAfter))
    .send(problem);
}
