import { type AppOptions, createApp } from '@curfew/http';
import { Type } from 'typebox';
import { afterEach, describe, expect, test } from 'vitest';

const PROBLEM = expect.stringMatching(/^application\/problem\+json/);

let app: Awaited<ReturnType<typeof createApp>>;
afterEach(() => app.close());

const appWith = async (options: Partial<AppOptions> = {}) => {
  app = await createApp({ name: 'test', logLevel: 'silent', notReady: () => [], ...options });
  return app;
};

describe('a service', () => {
  test('is alive while it is not ready, and says in words what is missing', async () => {
    const missing = ['Kafka does not answer', 'Redis does not answer'];
    await appWith({ notReady: () => missing });
    expect((await app.inject('/healthz')).statusCode).toBe(200);

    const readiness = await app.inject('/readyz');
    expect(readiness.statusCode).toBe(503);
    expect(readiness.headers).toMatchObject({ 'content-type': PROBLEM, 'retry-after': '1' });
    expect(readiness.json()).toMatchObject({ code: 'not_ready', detail: missing.join('; ') });

    missing.length = 0;
    expect((await app.inject('/readyz')).statusCode).toBe(200);
  });

  test('shows its metrics to a scrape', async () => {
    await appWith({
      telemetry: {
        serveMetrics: (_request, response) => response.end('curfew_verdicts 1\n'),
        shutdown: async () => {},
      },
    });
    expect((await app.inject('/metrics')).body).toBe('curfew_verdicts 1\n');
  });

  test('without telemetry has no metrics, and says so', async () => {
    await appWith();
    const response = await app.inject('/metrics');
    expect(response.headers['content-type']).toEqual(PROBLEM);
    expect(response.json()).toMatchObject({ status: 404, code: 'route_not_found' });
  });

  test('describes its routes in OpenAPI, and not those of its health', async () => {
    await appWith();
    const body = Type.Object({ subject: Type.String() });
    app.post('/v1/things', { schema: { summary: 'Make a thing', body } }, () => ({}));
    const description = (await app.inject('/openapi.json')).json();
    expect(description.openapi).toMatch(/^3\.1/);
    expect(Object.keys(description.paths)).toEqual(['/v1/things']);
    expect(description.paths['/v1/things'].post.requestBody.content['application/json'].schema).toEqual(
      JSON.parse(JSON.stringify(body)),
    );
  });
});
