import { Readable } from 'node:stream';
import { main } from '../../libs/cli/src/main.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `curfew` with these arguments, in this process: what it wrote, and its exit code. Only `env` is its environment. */
export async function curfew(
  args: readonly string[],
  { env = {}, stdin = '' }: { env?: Readonly<Record<string, string>>; stdin?: string } = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof written) => ({
    write: (text: string | Uint8Array) => {
      written[name] += String(text);
      return true;
    },
  });
  const code = await main(args, {
    stdin: Readable.from([stdin]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env,
    once: () => {},
  });
  return { code, ...written };
}
