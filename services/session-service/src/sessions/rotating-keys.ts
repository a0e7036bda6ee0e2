import { readSigningKeys, type SigningKey, type SigningKeys } from './signing-keys.ts';

export interface RotatingKeysOptions {
  /** The text that `readSigningKeys` takes. */
  readonly read: () => Promise<string>;
  /** The environment variable that says where the keys are. */
  readonly variable: string;
  /** Hears of each change. `early`: the key that signs was not published before, so that services do not know it yet. */
  readonly onChange: (keys: SigningKeys, early: boolean) => void;
  /** Hears once of what cannot be read; the keys of before stay. */
  readonly onError: (error: unknown) => void;
}

/**
 * How often is looked, ms. By content, as every other sign fails somewhere: a secret that Kubernetes mounts is a link to
 * a link that is swapped, which raises no event at the file; its times may be those of the old one; and nobody there
 * can send a signal to the process.
 */
const POLL_MS = 1000;

/** Keys that are read anew while the service runs. */
export class RotatingKeys implements SigningKeys {
  readonly #options: RotatingKeysOptions;
  #keys: SigningKeys;
  /** What was read last, good or bad. */
  #text: string;
  /** What is wrong since, and was said. */
  #complaint: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: RotatingKeysOptions, text: string, keys: SigningKeys) {
    this.#options = options;
    this.#text = text;
    this.#keys = keys;
  }

  /** @throws CurfewError `option_invalid`, or what `read` throws. */
  static async open(options: RotatingKeysOptions): Promise<RotatingKeys> {
    const text = await options.read();
    return new RotatingKeys(options, text, await readSigningKeys(text, options.variable));
  }

  get signer(): SigningKey {
    return this.#keys.signer;
  }

  get jwks(): SigningKeys['jwks'] {
    return this.#keys.jwks;
  }

  getKey: SigningKeys['getKey'] = (header, token) => this.#keys.getKey(header, token);

  start(): void {
    this.#timer ??= setInterval(() => this.look(), POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks now. Never rejects. */
  async look(): Promise<void> {
    const { read, variable, onChange, onError } = this.#options;
    try {
      const text = await read();
      const known = text === this.#text;
      this.#text = text;
      if (!known) {
        const keys = await readSigningKeys(text, variable);
        const early = !this.#keys.jwks.keys.some(({ kid }) => kid === keys.signer.kid);
        this.#keys = keys;
        onChange(keys, early);
      }
      this.#complaint = undefined;
    } catch (error) {
      if (this.#complaint !== String(error)) onError(error);
      this.#complaint = String(error);
    }
  }
}
