import type { Telemetry } from '@curfew/telemetry/start';
import closeWithGrace from 'close-with-grace';
import type { App } from './app.ts';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly telemetry: Telemetry;
  /** Ends what the service holds besides its server: consumers, connections. */
  readonly close: () => Promise<void>;
}

/** How long a stop may take before the process ends anyway, ms. */
const STOP_LIMIT_MS = 10_000;

/** Listens, and on SIGTERM or SIGINT stops taking requests, closes everything, sends its last telemetry and exits. */
export async function serve(app: App, { host, port, telemetry, close }: ServeOptions): Promise<void> {
  closeWithGrace({ delay: STOP_LIMIT_MS, logger: false }, async ({ err, signal }) => {
    if (err) app.log.fatal({ err }, 'a failure that nothing caught; stopping');
    else app.log.info({ signal }, 'stopping');
    await app.close();
    await close();
    await telemetry.shutdown();
  });
  await app.listen({ host, port });
}
