import { type CurfewError, kafkaRefusal } from '@curfew/contracts';
import { errorOfCode, reasonOf } from './kafka-answers.ts';

/** Says in words why a topic is not read, and tells once for each reason that the brokers turn this client away. */
export class Refusals {
  readonly #topic: string;
  readonly #onRefused: ((error: CurfewError) => void) | undefined;
  /** What was told last; undefined: all was read since. */
  #told: CurfewError | undefined;
  /** Why the last connection ended, until that was looked at. */
  #cut: Error | undefined;

  constructor(topic: string, onRefused: ((error: CurfewError) => void) | undefined) {
    this.#topic = topic;
    this.#onRefused = onRefused;
  }

  /** A connection has ended. */
  cut(error: Error): void {
    this.#cut = error;
  }

  /** Whatever is refused from now on is news. */
  allRead(): void {
    this.#told = undefined;
    this.#cut = undefined;
  }

  reasonOf(error: unknown): string {
    const refused = kafkaRefusal(error) ?? kafkaRefusal(this.#cut);
    this.#cut = undefined;
    if (refused === undefined) return reasonOf(error, this.#topic);
    if (refused.reason !== this.#told?.reason) this.#onRefused?.(refused);
    this.#told = refused;
    return refused.detail ?? refused.message;
  }

  /** Of an error code of one partition. */
  nameOf(code: number): string {
    const error = errorOfCode(code);
    return kafkaRefusal(error) ? this.reasonOf(error) : error.type;
  }
}
