import type { App } from '@curfew/http';
import { Type } from 'typebox';
import type { ConsoleOptions } from '../app.ts';
import { eventOf } from '../event-stream.ts';

type Live = Pick<ConsoleOptions, 'board' | 'stream' | 'traceUrl' | 'now'>;

/** What the page begins with: everything, the series too. */
/** All that a page shows, and the series. */
export const wholeOf = ({ board, traceUrl, now }: Pick<Live, 'board' | 'traceUrl' | 'now'>) => ({
  ...board.state(now()),
  traceUrl,
  points: board.points,
});

/** `/api/state` once, and `/api/events` whenever there is news: each browser has one stream open. */
export function liveRoutes(app: App, options: Live): void {
  app.get(
    '/api/state',
    {
      schema: {
        summary: 'All that the console shows',
        response: { 200: Type.Unsafe<object>({ type: 'object', additionalProperties: true }) },
      },
    },
    () => wholeOf(options),
  );

  app.get(
    '/api/events',
    { schema: { summary: 'The same, and then what changes, as server-sent events' } },
    (_request, reply) => {
      reply.hijack();
      options.stream.add(reply.raw, eventOf('whole', wholeOf(options)));
    },
  );
}
