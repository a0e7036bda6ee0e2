import type { ServerResponse } from 'node:http';

/** How much of a stream may wait for a browser that does not read, bytes; then its connection is ended. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Browsers that listen (server-sent events, HTML section 9.2). */
export class EventStream {
  readonly #listeners = new Set<ServerResponse>();

  /** Begins to answer a request with events, and goes on until the browser leaves. */
  add(response: ServerResponse, first: string): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(first);
    this.#listeners.add(response);
    response.once('close', () => this.#listeners.delete(response));
  }

  get size(): number {
    return this.#listeners.size;
  }

  send(events: string): void {
    for (const response of this.#listeners) {
      if (response.writableLength > MAX_WAITING) response.destroy();
      else response.write(events);
    }
  }

  close(): void {
    for (const response of this.#listeners) response.end();
  }
}

/** One event as it travels. JSON has no line breaks. */
export const eventOf = (name: string, value: unknown): string => `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
