import type { StandaloneConnectionOptions } from 'ioredis';
import { StandaloneConnector } from 'ioredis/built/connectors/index.js';

/**
 * Makes sockets as the client's own does, and hears every error of each. The client hears one: where it leaves during a TLS
 * handshake that it then refuses, what the server says to its leaving is a second one, and an error that nobody hears ends
 * the process (redis/ioredis#1183). A cluster has sockets that no event tells of.
 */
export class HeardConnector extends StandaloneConnector {
  // As the option's type has it.
  constructor(options: unknown) {
    super(options as StandaloneConnectionOptions);
  }

  override async connect(...args: Parameters<StandaloneConnector['connect']>) {
    const socket = await super.connect(...args);
    socket.on('error', () => {});
    return socket;
  }
}
