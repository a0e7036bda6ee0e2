import { problemHeaders, problemOf } from '@curfew/contracts';
import type { Telemetry } from '@curfew/telemetry/start';
import type { FastifyInstance } from 'fastify';

export interface Health {
  /** What still keeps the service from doing its work, in words; empty when it is ready. */
  readonly notReady: () => readonly string[];
  readonly telemetry?: Telemetry;
}

/** `/healthz` (the process lives), `/readyz` (it can do its work), `/metrics` (Prometheus) and `/openapi.json`. */
export async function healthRoutes(app: FastifyInstance, options: Health): Promise<void> {
  // These routes take anybody, in a service that Curfew protects too, and as often as they like.
  const hidden = {
    schema: { hide: true },
    config: { otel: false, curfew: 'open', caller: 'open', rateLimit: false },
  } as const;

  app.get('/healthz', hidden, () => ({ status: 'ok' }));

  app.get('/readyz', hidden, (_request, reply) => {
    const reasons = options.notReady();
    if (reasons.length === 0) return { status: 'ready' };
    const problem = problemOf('not_ready', reasons.join('; '));
    return reply.code(problem.status).headers(problemHeaders('not_ready')).send(problem);
  });

  app.get('/metrics', hidden, (request, reply) => {
    if (!options.telemetry) {
      const problem = problemOf('route_not_found', 'telemetry is not started');
      return reply.code(problem.status).headers(problemHeaders('route_not_found')).send(problem);
    }
    reply.hijack();
    options.telemetry.serveMetrics(request.raw, reply.raw);
    return reply;
  });

  app.get('/openapi.json', hidden, () => app.swagger());
}
