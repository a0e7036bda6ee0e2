import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { getNumberFromEnv, getStringFromEnv } from '@opentelemetry/core';
import { AlwaysOnSampler, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { adoptSession } from './session-context.ts';
import { tracer } from './spans.ts';

/** What is looked at of a Fastify request. */
interface Request {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly routeOptions: { readonly url?: string; readonly config?: { readonly otel?: boolean } };
}

type Hook = (request: Request, reply: { readonly raw: ServerResponse }, done: () => void) => void;

const CHANNEL = 'fastify.initialization';

/** What Fastify publishes on it, once for each server. */
interface Initialization {
  readonly fastify: { addHook(name: 'onRequest', hook: Hook): void };
}

/** What is asked again and again, by probes, scrapers and consoles, would drown the traces. */
const POLLED = /^\/(healthz|readyz|metrics|v1\/sidecars|v1\/revocations)\b/;

/**
 * Which share of the requests whose caller has not decided it is traced: `OTEL_TRACES_SAMPLER_ARG` where the sampler is
 * `parentbased_traceidratio`; otherwise all, and the SDK's own sampler decides.
 */
export function requestShare(): number | undefined {
  const isShare = getStringFromEnv('OTEL_TRACES_SAMPLER') === 'parentbased_traceidratio';
  return isShare ? Math.min(1, Math.max(0, getNumberFromEnv('OTEL_TRACES_SAMPLER_ARG') ?? 1)) : undefined;
}

/** As `parentbased_traceidratio`, but that a request's span is there because its request was chosen before. */
export function samplerOf(share: number): Sampler {
  const [chosen, others] = [new AlwaysOnSampler(), new TraceIdRatioBasedSampler(share)];
  const root: Sampler = {
    shouldSample: (of, traceId, _name, kind) =>
      kind === SpanKind.SERVER ? chosen.shouldSample() : others.shouldSample(of, traceId),
    toString: () => others.toString(),
  };
  return new ParentBasedSampler({ root });
}

/**
 * A span `<method> <route>` for each request to the Fastify servers made from now on, by HTTP's semantic conventions. A
 * request is chosen before anything is made for it: a span that is not recorded costs 1.4 µs, and the context around it
 * as much again, a fifth of a small request.
 *
 * @returns what has servers that are made later traced no more.
 */
export function traceRequests(share = 1): () => void {
  const begin = (message: unknown) => {
    (message as Initialization).fastify.addHook('onRequest', (request, reply, done) => {
      const { method, headers } = request;
      if (headers['traceparent'] === undefined && Math.random() >= share) return done();
      // Fastify makes them anew whenever they are asked for.
      const { url: route = '', config } = request.routeOptions;
      if (config?.otel === false || (method !== 'POST' && POLLED.test(route))) return done();
      const caller = adoptSession(propagation.extract(ROOT_CONTEXT, headers));
      // Paths hold the ids of sessions and of subjects; the route stands for them.
      const attributes = { 'http.request.method': method, 'http.route': route, 'url.path': route };
      const span = tracer().startSpan(`${method} ${route}`.trimEnd(), { kind: SpanKind.SERVER, attributes }, caller);
      reply.raw.once('close', () => {
        span.setAttribute('http.response.status_code', reply.raw.statusCode);
        if (reply.raw.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      });
      context.with(trace.setSpan(caller, span), done);
    });
  };
  subscribe(CHANNEL, begin);
  return () => unsubscribe(CHANNEL, begin);
}
