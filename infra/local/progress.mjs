import { paintFor } from './paint.mjs';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

const inWords = (/** @type {number} */ ms) => (ms < 950 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * Lines that say what happens: one for each thing that is done and, on a terminal, a last one with what still runs.
 *
 * @param {NodeJS.WriteStream} [stream]
 */
export function createProgress(stream = process.stdout) {
  const paint = paintFor(stream);
  /** @type {Map<string, string>} */
  const running = new Map();
  let frame = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;

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
     * @param {object} [options]
     * @param {(result: T) => string} [options.outcome] in words
     * @param {(result: T) => boolean} [options.passed]
     * @param {AbortSignal} [options.signal] what gives the work up
     * @returns {Promise<T>}
     */
    async run(name, work, { outcome = () => '', passed = () => true, signal } = {}) {
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
        const mark = passed(result) ? paint.green('✓') : paint.red('✗');
        end(mark, name, paint.dim([outcome(result), took].filter((part) => part !== '').join(', ')));
        return result;
      } catch (error) {
        // What ends because something else failed, or somebody ended it, did not fail itself.
        if (signal?.aborted && error === signal.reason) running.delete(name);
        else end(paint.red('✗'), name);
        throw error;
      }
    },
  };
}
