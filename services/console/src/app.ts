import { type App, type AppOptions, createApp } from '@curfew/http';
import type { Board } from './board.ts';
import type { EventStream } from './event-stream.ts';
import { assertOwnPage } from './origins.ts';
import { pageRoutes } from './page.ts';
import { liveRoutes } from './routes/live.ts';
import { lookupRoutes } from './routes/lookup.ts';
import { revokeRoute } from './routes/revoke.ts';
import type { SessionService } from './session-service.ts';

export interface ConsoleOptions extends Pick<AppOptions, 'telemetry' | 'logLevel'> {
  readonly board: Board;
  readonly stream: EventStream;
  readonly sessionService: Pick<SessionService, 'read' | 'ask'>;
  /** Where browsers find the console. */
  readonly origins: readonly string[];
  /** Where a trace is shown, with `{traceId}` in it. */
  readonly traceUrl: string | undefined;
  readonly now: () => number;
}

/** The console's HTTP side; it listens nowhere yet. It is ready as soon as it answers: that others do not, it shows. */
export async function buildApp(options: ConsoleOptions): Promise<App> {
  const { telemetry, logLevel, origins } = options;
  const app = await createApp({
    name: 'console',
    notReady: () => [],
    ...(telemetry ? { telemetry } : {}),
    ...(logLevel ? { logLevel } : {}),
  });
  app.addHook('onRequest', async (request) => {
    // By the route that was found: a path may be written in many ways.
    if (request.routeOptions.url?.startsWith('/api/')) assertOwnPage(request, origins);
  });
  await pageRoutes(app);
  liveRoutes(app, options);
  lookupRoutes(app, options);
  revokeRoute(app, options);
  return app;
}
