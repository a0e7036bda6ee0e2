import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, problemHeaders, problemOf } from '@curfew/contracts';
import type { ConnectionError } from 'fastify';

/** What Node's HTTP parser stops at; everything else that is no HTTP is `request_invalid`. */
const CODE_OF_PARSER: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** How long the rest of a request is read after its answer: an end with bytes unread resets it before it is seen, ms. */
const LINGER_MS = 1000;

/** Answers a request that never became one, in the words of every other error, and closes its connection. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = CODE_OF_PARSER[error.code] ?? 'request_invalid';
  const problem = problemOf(code);
  const body = JSON.stringify(problem);
  const headers = Object.entries({
    ...problemHeaders(code),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${headers.join('')}\r\n${body}`);
  // Taken from the parser, which would stop at every piece anew.
  socket.removeAllListeners('data').on('data', () => {});
  const linger = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(linger));
}
