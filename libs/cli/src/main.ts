import { text } from 'node:stream/consumers';
import { CurfewError } from '@curfew/contracts';
import { type Command, helpOf, parseCommand, twoColumns } from './command.ts';
import { doctor } from './commands/doctor.ts';
import { revoke } from './commands/revoke.ts';
import { sidecars } from './commands/sidecars.ts';
import { status } from './commands/status.ts';
import { tail } from './commands/tail.ts';
import { why } from './commands/why.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts';
import { Output, type Sink } from './output.ts';
import { SessionService } from './session-service.ts';
import { readSettings, VARIABLES } from './settings.ts';

const COMMANDS: Readonly<Record<string, Command>> = { revoke, status, sidecars, why, tail, doctor };

/** What the command touches of the process. */
export interface Surroundings {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: NodeJS.ProcessEnv;
  once(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** `curfew` with these arguments. It never throws. */
export async function main([name, ...args]: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const output = new Output(surroundings, args.includes('--json'));
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      surroundings.stdout.write(`${usage()}\n`);
      return name === undefined ? EXIT.usage : EXIT.ok;
    }
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined)
      throw new CurfewError('option_invalid', 'there is no such command; `curfew --help` names them');
    const given = parseCommand(name, command, args);
    if (given.flag('help')) {
      surroundings.stdout.write(`${helpOf(name, command)}\n`);
      return EXIT.ok;
    }
    const settings = readSettings(surroundings.env);
    return await command.run(given, {
      settings,
      output,
      sessionService: new SessionService(settings),
      read: () => text(surroundings.stdin),
      ending: () => endingOf(surroundings),
    });
  } catch (error) {
    if (error instanceof CurfewError) output.failure(error.code, error.detail ?? error.message);
    else output.failure('internal', (error as Error).stack ?? String(error));
    return exitCodeOf(error);
  } finally {
    output.endProgress();
  }
}

function endingOf(surroundings: Surroundings): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) surroundings.once(signal, () => ending.abort());
  return ending.signal;
}

const usage = (): string =>
  `curfew <command> [--json]: ends sessions, and tells what became of it.

${twoColumns(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]))}

\`curfew <command> --help\` has the options and an example.

Environment:

${twoColumns(VARIABLES)}

Exit codes:

  0  done; effective; nothing wrong
  1  not effective, refused, not found, or a problem was found
  2  the arguments or the environment cannot be used
  3  the session service, Kafka or Redis does not answer`;
