import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../infra/local/arguments.mjs';

describe('the arguments of npm start', () => {
  test('are all optional', () => {
    expect(parseArguments([])).toEqual({ once: false, traces: false, docker: false, freePorts: false, help: false });
  });

  test('come in any order', () => {
    expect(parseArguments(['--free-ports', '--once'])).toMatchObject({ once: true, freePorts: true });
    expect(parseArguments(['-h'])).toMatchObject({ help: true });
  });

  test.each([['once'], ['--onec'], ['-once'], ['--']])('%s is refused, and the usage is shown', (argument) => {
    expect(() => parseArguments([argument])).toThrow(`There is no argument ${argument}.\n\nnpm start -- [--once]`);
  });

  test('--docker and --free-ports exclude each other', () => {
    expect(() => parseArguments(['--docker', '--free-ports'])).toThrow('docker-compose.yml names its ports');
  });
});
