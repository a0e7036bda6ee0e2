import { createServer } from 'node:net';
import { StartError } from './start-error.mjs';

const HOST = '127.0.0.1';

/**
 * Listens for a moment, so as to know that a port is free.
 *
 * @param {number} port 0 for any
 * @returns {Promise<import('node:net').Server>}
 */
function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: HOST, exclusive: true }, () => resolve(server));
  });
}

/** @param {import('node:net').Server} server @returns {Promise<void>} */
const close = (server) => new Promise((resolve) => server.close(() => resolve()));

/**
 * Free ports on the loopback address, all different.
 *
 * @param {number} count
 * @returns {Promise<number[]>}
 */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** @returns {Promise<number>} */
export async function freePort() {
  const [port] = await freePorts(1);
  return /** @type {number} */ (port);
}

/**
 * Sees that nothing listens on the ports.
 *
 * @param {Readonly<Record<string, number>>} ports who wants which port
 * @throws {StartError} naming every port in use, and who wants it.
 */
export async function assertFree(ports) {
  const taken = [];
  for (const [name, port] of Object.entries(ports)) {
    try {
      await close(await listen(port));
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      taken.push(`${HOST}:${port} (${name})${code === 'EADDRINUSE' ? '' : `: ${code}`}`);
    }
  }
  if (taken.length > 0)
    throw new StartError(
      `Something else listens where Curfew's local stack would: ${taken.join(', ')}.\n` +
        'End it, or run `npm start -- --free-ports`.',
    );
}
