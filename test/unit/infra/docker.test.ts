import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { startDockerStack } from '../../../infra/local/docker.mjs';
import { inRoot } from '../../../infra/local/paths.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-docker-'));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(directory, { recursive: true }));

/** A `docker` on the PATH, in place of an engine, that fails at these commands of Compose. */
function dockerThatFails(...commands: string[]): void {
  const file = join(directory, 'docker');
  writeFileSync(
    file,
    `#!/bin/sh\necho "$*" >> '${directory}/ran'\ncase "$4" in ${commands.join('|')}) exit 1;; esac\n`,
  );
  chmodSync(file, 0o755);
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH']}`);
}

test('containers that do not come up are the error, although they cannot be removed either', async () => {
  dockerThatFails('up', 'down');
  const progress = { run: <T>(_name: string, work: (say: (doing: string) => void) => Promise<T>) => work(() => {}) };
  const { signal } = new AbortController();
  await expect(startDockerStack({ directory, progress, signal })).rejects.toThrow('did not bring the stack up');
  expect(readFileSync(join(directory, 'ran'), 'utf8')).toMatch(/ down\n$/);
});

const compose = readFileSync(inRoot('docker-compose.yml'), 'utf8');

test('every service that has a part in the trace sends its spans to the Jaeger of Compose, which the console links to', () => {
  const services = new Map(
    [...compose.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].map(([, name, text]) => [name, `${text}`]),
  );
  const environment = /^x-environment: &environment\n((?: {2}.*\n)+)/m.exec(compose)?.[1];
  expect(environment).toContain('OTEL_TRACES_EXPORTER: otlp\n');
  expect(environment).toContain('OTEL_EXPORTER_OTLP_ENDPOINT: http://jaeger:4318\n');
  for (const name of ['session-service', 'identity-publisher', 'orders', 'payments'])
    expect(services.get(name), name).toContain('<<: *environment');
  expect(services.get('jaeger')).toContain('"127.0.0.1:16686:16686"');
  expect(services.get('console')).toContain('CURFEW_TRACE_URL: http://127.0.0.1:16686/trace/{traceId}');
});

test('Compose needs no key for what starts nothing, and builds the one image once', () => {
  expect(compose.match(/\$\{\w+:?\?/)).toBeNull();
  expect(compose.match(/^ +build:/gm)).toHaveLength(1);
  expect(compose.match(/^ +image: curfew$/gm)).toHaveLength(1);
});

test('every other image is of one version, and what is mounted is there', () => {
  for (const [, image] of compose.matchAll(/^ +image: (.*)$/gm)) expect(image).toMatch(/^curfew$|:v?\d/);
  const mounted = [...compose.matchAll(/(\.\/[^:"]+):\/.+:ro/g)].map(([, path = '']) => path);
  expect(mounted.length).toBeGreaterThan(0);
  for (const path of mounted) expect(existsSync(inRoot(path)), path).toBe(true);
});

test('Prometheus scrapes every service of Compose where it listens', () => {
  const targets = readFileSync(inRoot('infra/prometheus/prometheus.yml'), 'utf8').matchAll(/"([\w-]+):(\d+)"/g);
  const listening = compose.matchAll(/^ {2}([\w-]+):\n {4}<<: \*service\n[\s\S]*?PORT: (\d+)$/gm);
  const named = (found: Iterable<RegExpExecArray>) => [...found].map(([, name, port]) => `${name}:${port}`).sort();
  expect(named(targets)).toEqual(named(listening));
});
