import { parseArgs } from 'node:util';
import { CurfewError } from '@curfew/contracts';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './output.ts';
import type { SessionService } from './session-service.ts';
import type { Settings } from './settings.ts';

/** One of the things that `curfew` does. */
export interface Command {
  /** One line, for the list of all commands. */
  readonly summary: string;
  /** What may stand behind the command's name. */
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Whether one argument may stand beside the options. */
  readonly operand?: true;
  readonly example: string;
  /** @throws CurfewError whose code decides the exit code. */
  run(given: Given, context: Context): Promise<ExitCode>;
}

interface Option {
  readonly type: 'string' | 'boolean';
  /** What it does, for `--help`. */
  readonly says: string;
}

/** What a command was given. */
export interface Given {
  readonly operand: string | undefined;
  text(option: string): string | undefined;
  flag(option: string): boolean;
}

/** What a command works with. */
export interface Context {
  readonly settings: Settings;
  readonly output: Output;
  readonly sessionService: SessionService;
  /** All that comes on the standard input. */
  readonly read: () => Promise<string>;
  /** Aborts when the command is asked to end (SIGINT, SIGTERM); from then on it has to end by itself. */
  readonly ending: () => AbortSignal;
}

const OF_ALL: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', says: 'one JSON document on stdout, for programs' },
  help: { type: 'boolean', says: 'this text' },
};

/** @throws CurfewError `option_invalid`, saying what is wrong. */
export function parseCommand(name: string, command: Command, args: readonly string[]): Given {
  const { values, positionals } = parsed(name, command, args);
  if (positionals.length > (command.operand ? 1 : 0)) throw misused(name, 'there is an argument too many');
  return {
    operand: positionals[0],
    text: (option) => (typeof values[option] === 'string' ? values[option] : undefined),
    flag: (option) => values[option] === true,
  };
}

/** A handle or a session id, which is base64url, may begin like an option. No option is as long as one of them. */
const isId = (arg: string): boolean => /^-[\w-]{21,}$/.test(arg);

function parsed(name: string, { options, operand }: Command, args: readonly string[]) {
  const ids = operand ? args.filter(isId) : [];
  const others = args.filter((arg) => !ids.includes(arg));
  try {
    return parseArgs({
      args: [...others, ...(ids.length === 0 ? [] : ['--', ...ids])],
      options: { ...options, ...OF_ALL },
      allowPositionals: true,
    });
  } catch (error) {
    // It names options, and quotes no value.
    throw misused(name, (error as Error).message.replaceAll('\n', ' '));
  }
}

export const misused = (name: string, why: string): CurfewError =>
  new CurfewError('option_invalid', `${why}; \`curfew ${name} --help\` says what it takes`);

export function helpOf(name: string, { summary, usage, options, example }: Command): string {
  const rows = Object.entries({ ...options, ...OF_ALL }).map(([option, { says }]) => [`--${option}`, says]);
  return `curfew ${name} ${usage}\n\n${summary}.\n\n${twoColumns(rows)}\n\nExample:\n\n  ${example}`;
}

export function twoColumns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([left = '']) => left.length));
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
