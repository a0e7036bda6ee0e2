import { serve } from '@curfew/http';
import { startTelemetry } from '@curfew/telemetry/start';
import { buildApp } from './app.ts';
import { Board } from './board.ts';
import { readConsoleConfig } from './config.ts';
import { EventStream, eventOf } from './event-stream.ts';
import { wholeOf } from './routes/live.ts';
import { SessionService } from './session-service.ts';
import { Watch } from './watch.ts';

const { sessionServiceUrls, credential, origins, traceUrl, host, port } = readConsoleConfig();
// What it asks once a second is in no trace.
const telemetry = startTelemetry('console', { traces: false });
const now = Date.now;

const sessionService = new SessionService({ urls: sessionServiceUrls, credential });
const board = new Board();
const stream = new EventStream();
const app = await buildApp({ board, stream, sessionService, origins, traceUrl, telemetry, now });
const watch = new Watch({
  board,
  sessionService,
  now,
  onRound: (point) => {
    if (point) stream.send(eventOf('point', point));
    stream.send(eventOf('state', board.state(now())));
  },
  onRecall: () => stream.send(eventOf('whole', wholeOf({ board, traceUrl, now }))),
});

watch.start();
app.addHook('preClose', async () => stream.close());
await serve(app, { host, port, telemetry, close: async () => watch.close() });
