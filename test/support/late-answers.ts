import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A way to a server, for one client, that brings nothing of what the server says before the client has said its last. */
export interface LateAnswers {
  readonly port: number;
  /** Resolves when there is something that is held back. */
  readonly held: Promise<void>;
  /** Resolves when the client has heard it all, and has gone. */
  readonly left: Promise<void>;
  stop(): void;
}

export async function lateAnswersOf(port: number): Promise<LateAnswers> {
  const held = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const way = createServer({ allowHalfOpen: true }, (client) => {
    const said: Buffer[] = [];
    const server = connect(port, '127.0.0.1');
    client.pipe(server).on('data', (chunk) => {
      said.push(chunk);
      held.resolve();
    });
    server.on('close', () => client.end(Buffer.concat(said)));
    client.on('close', left.resolve);
    for (const end of [client, server]) end.on('error', () => {});
  });
  await once(way.listen(0, '127.0.0.1'), 'listening');
  const address = way.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, held: held.promise, left: left.promise, stop: () => void way.close() };
}
