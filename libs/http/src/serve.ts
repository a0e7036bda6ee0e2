import { setTimeout as sleep } from 'node:timers/promises';
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

/** How long a stop waits for whoever takes the telemetry; it is no failure of the service that nobody does, ms. */
const LAST_TELEMETRY_LIMIT_MS = 2000;

/** Listens, and on SIGTERM or SIGINT stops taking requests, closes everything, sends its last telemetry and exits. */
export async function serve(app: App, { host, port, telemetry, close }: ServeOptions): Promise<void> {
  closeWithGrace({ delay: STOP_LIMIT_MS, logger: false }, async ({ err, signal }) => {
    if (err) app.log.fatal({ err }, 'a failure that nothing caught; stopping');
    else app.log.info({ signal }, 'stopping');
    await app.close();
    await close();
    await sendLast(app, telemetry);
  });
  await app.listen({ host, port });
}

async function sendLast(app: App, telemetry: Telemetry): Promise<void> {
  const late = sleep(LAST_TELEMETRY_LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`not taken within ${LAST_TELEMETRY_LIMIT_MS / 1000} s`);
  });
  await Promise.race([telemetry.shutdown(), late]).catch((err) => {
    app.log.warn({ err }, 'the last telemetry of this process is lost');
  });
}
