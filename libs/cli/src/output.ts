import { styleText } from 'node:util';
import { printable, printableIn } from './printable.ts';

/** What is written to: a stream of the process, or of a test. */
export type Sink = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** What a command says: its answer on `stdout`, for a person or as JSON; what it is doing on `stderr`. */
export class Output {
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #env: NodeJS.ProcessEnv;
  readonly json: boolean;
  #progressing = false;

  constructor({ stdout, stderr, env }: { stdout: Sink; stderr: Sink; env: NodeJS.ProcessEnv }, json: boolean) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#env = env;
    this.json = json;
  }

  /**
   * The answer: one JSON document (a line of its own) for programs, words for people. Ids and names in it are what others
   * chose, and a terminal would obey what they wrote.
   *
   * @param words makes them of what it is given: the document, with nothing in it that a terminal obeys.
   */
  answer<Document>(document: Document, words: (document: Document) => string): void {
    this.endProgress();
    this.#stdout.write(`${this.json ? printable(JSON.stringify(document)) : words(printableIn(document))}\n`);
  }

  /** Colours for a terminal, plain text for everything else or where `NO_COLOR` is set (no-color.org). */
  paint(style: Style, text: string): string {
    const on = this.#stdout.isTTY === true && !this.#env['NO_COLOR'] && this.#env['TERM'] !== 'dumb';
    return on ? styleText(style, text, { validateStream: false }) : text;
  }

  /** What is going on, in one line that the next one takes the place of; on a terminal alone. */
  progress(text: string): void {
    if (this.json || this.#stderr.isTTY !== true) return;
    this.#progressing = true;
    // A line that wraps could not be cleared.
    this.#stderr.write(`\r\x1b[K… ${printable(text).slice(0, Math.max(10, (this.#stderr.columns || 80) - 4))}`);
  }

  endProgress(): void {
    if (this.#progressing) this.#stderr.write('\r\x1b[K');
    this.#progressing = false;
  }

  /**
   * Why there is no answer: one JSON document on `stdout` for programs, a line on `stderr` for people. Further lines are
   * set in, so that none passes for another answer.
   */
  failure(code: string, detail: string): void {
    this.endProgress();
    if (this.json) this.#stdout.write(`${printable(JSON.stringify({ code, detail }))}\n`);
    else this.#stderr.write(`curfew: ${detail.split('\n').map(printable).join('\n  ')} (${code})\n`);
  }
}
