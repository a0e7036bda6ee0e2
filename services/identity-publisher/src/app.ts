import { type Access, type App, type AppOptions, createApp } from '@curfew/http';
import { type AccountEvents, accountEventRoutes } from './routes.ts';

export interface IdentityPublisherOptions extends Pick<AppOptions, 'telemetry' | 'logLevel'> {
  readonly access: Access;
  readonly publisher: AccountEvents;
}

/** The identity publisher's HTTP side; it listens nowhere yet. */
export async function buildApp({ publisher, ...options }: IdentityPublisherOptions): Promise<App> {
  const app = await createApp({ name: 'identity-publisher', notReady: () => publisher.notReady(), ...options });
  accountEventRoutes(app, publisher);
  return app;
}
