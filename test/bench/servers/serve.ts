import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves on a free port, which the parent is told, until the parent disconnects; tells its CPU time when asked, in µs. */
export function serve(server: Server, close: () => Promise<unknown> = async () => {}): void {
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  // Longer than any load pauses: a connection that is kept is never closed under it.
  server.keepAliveTimeout = 600_000;
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.once('disconnect', async () => {
    server.closeAllConnections();
    server.close();
    await close();
  });
}
