import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * How a link behaves. `open`: as if it were not there. `cut`: connections are reset, new ones too. `silent`: nothing gets
 * through in either direction, and nobody is told. `slow`: everything arrives later.
 */
export type LinkState = 'open' | 'cut' | 'silent' | { readonly slowMs: number };

const HOST = '127.0.0.1';

/** A TCP proxy on the loopback address that stands for a network between two processes, and can fail like one. */
export class TcpLink {
  readonly #server: Server;
  /** The port that every new connection is taken to; undefined: to none. */
  readonly #target: () => number | undefined;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #state: LinkState = 'open';

  private constructor(target: () => number | undefined) {
    this.#target = target;
    this.#server = createServer((near) => this.#accept(near));
  }

  /** @param target asked at each connection, so that a link can lead elsewhere after a failover. */
  static async listen(target: () => number | undefined): Promise<TcpLink> {
    const link = new TcpLink(target);
    link.#server.listen(0, HOST);
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  turn(state: LinkState): void {
    const held = this.#state === 'silent';
    this.#state = state;
    if (state === 'cut') this.reset();
    else if (state === 'silent') for (const pair of this.#pairs) for (const socket of pair) socket.pause();
    else if (held) for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** Ends every connection, as a restart of what is behind it does. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    this.reset();
  }

  #accept(near: Socket): void {
    const port = this.#target();
    if (this.#state === 'cut' || port === undefined) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, HOST);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const way = new Way(to);
      from.setNoDelay(true);
      from.on('data', (chunk) => way.pass(() => to.write(chunk), this.#delayMs));
      from.on('error', () => {});
      from.on('end', () => way.pass(() => to.end(), this.#delayMs));
      from.on('close', (broken) => {
        this.#pairs.delete(pair);
        if (broken) to.destroy();
        else way.pass(() => to.destroy(), this.#delayMs);
      });
    }
    if (this.#state === 'silent') for (const socket of pair) socket.pause();
  }

  get #delayMs(): number {
    return typeof this.#state === 'object' ? this.#state.slowMs : 0;
  }
}

/** One direction of a connection. What comes later never overtakes, whatever becomes of the link: TCP keeps the order. */
class Way {
  readonly #to: Socket;
  readonly #waiting: { readonly due: number; readonly step: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(to: Socket) {
    this.#to = to;
  }

  pass(step: () => void, delayMs: number): void {
    this.#waiting.push({ due: performance.now() + delayMs, step });
    this.#drain();
  }

  #drain(): void {
    if (this.#timer !== undefined) return;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const leftMs = next.due - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#drain();
        }, leftMs);
        return;
      }
      this.#waiting.shift();
      if (!this.#to.destroyed) next.step();
    }
  }
}
