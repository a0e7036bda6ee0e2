import { paintFor } from './paint.mjs';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

const inWords = (/** @type {number} */ ms) => (ms < 950 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * Lines that say what happens: one for each thing that is done and, on a terminal, a last one with what still runs.
 *
 * @param {object} [options]
 * @param {NodeJS.WriteStream} [options.stream]
 * @param {AbortSignal} [options.interrupt] what ends after it did not fail
 */
export function createProgress({ stream = process.stdout, interrupt } = {}) {
  const paint = paintFor(stream);
  /** @type {Map<string, string>} */
  const running = new Map();
  let frame = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {unknown} */
  let shownError;

  const clear = () => {
    if (stream.isTTY) stream.write('\r\x1b[K');
  };
  const draw = () => {
    if (!stream.isTTY || running.size === 0) return;
    const text = [...running].map(([name, doing]) => (doing === '' ? name : `${name} (${doing})`)).join(', ');
    // A line that wraps could not be cleared.
    const room = Math.max(10, stream.columns - 4);
    stream.write(`${paint.cyan(FRAMES[frame % FRAMES.length] ?? '')} ${text.slice(0, room)}`);
  };
  const write = (/** @type {string} */ line) => {
    clear();
    stream.write(`${line}\n`);
    draw();
  };
  const redraw = () => {
    frame += 1;
    clear();
    draw();
  };

  return {
    paint,
    line: write,
    /**
     * Runs one thing: shown while it runs, and with its outcome and its time when it has ended.
     *
     * @template T
     * @param {string} name
     * @param {(say: (doing: string) => void) => Promise<T>} work
     * @param {(result: T) => string} [outcome]
     * @returns {Promise<T>}
     */
    async run(name, work, outcome = () => '') {
      const began = performance.now();
      running.set(name, '');
      if (stream.isTTY) timer ??= setInterval(redraw, FRAME_MS).unref();
      const end = (/** @type {string[]} */ ...parts) => {
        running.delete(name);
        if (running.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
        write(parts.filter((part) => part !== '').join(' '));
      };
      try {
        const result = await work((doing) => {
          running.set(name, doing);
          if (!stream.isTTY) write(`… ${name}: ${doing}`);
        });
        const took = inWords(performance.now() - began);
        end(paint.green('✓'), name, paint.dim([outcome(result), took].filter((part) => part !== '').join(', ')));
        return result;
      } catch (error) {
        // What ends because something else failed did not fail itself.
        if (error === shownError || interrupt?.aborted) running.delete(name);
        else end(paint.red('✗'), name);
        shownError = error;
        throw error;
      }
    },
  };
}
