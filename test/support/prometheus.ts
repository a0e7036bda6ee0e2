import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from '../../infra/local/paths.mjs';
import { freePort } from '../../infra/local/ports.mjs';
import { startProcess, waitUntil } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';

/** A sample of an instant vector: the labels and the value. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A rule as Prometheus has read it. */
export interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
}

/** A Prometheus as a process, with the project's own configuration and rules. */
export interface Prometheus {
  /** Evaluates an expression now. A code in brackets is Prometheus' own: `[bad_data] …`. */
  query(expression: string): Promise<readonly Sample[]>;
  /** The exemplars of the last five minutes: their labels. */
  exemplars(expression: string): Promise<readonly Sample['metric'][]>;
  rules(): Promise<readonly Rule[]>;
  stop(): Promise<void>;
}

/**
 * Starts Debian's Prometheus, which scrapes and evaluates every second, and waits until it answers.
 *
 * @param urls where each service of `prometheus.yml` listens; those that are not named are not scraped
 */
export async function startPrometheus(urls: Readonly<Record<string, string>>): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'curfew-prometheus-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const files = ['prometheus.yml', 'rules/recording.yml', 'rules/alerts.yml'];
  await mkdir(join(directory, 'rules'));
  for (const file of files) {
    const text = await readFile(inRoot('infra/prometheus', file), 'utf8');
    await writeFile(join(directory, file), toTest(text, urls));
  }

  const started = await startProcess({
    name: 'Prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/series`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
    log: join(directory, 'prometheus.log'),
  });
  const stop = async () => {
    await started.stop();
    await removeDirectory(directory);
  };
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await waitUntil(started, isReady, { limitMs: 20_000 });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    query: async (expression) => {
      const { result } = await answer<{ result: { metric: Sample['metric']; value: [number, string] }[] }>(
        `${url}/api/v1/query?query=${encodeURIComponent(expression)}`,
      );
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    exemplars: async (expression) => {
      const now = Date.now() / 1000;
      const range = `start=${now - 300}&end=${now + 60}`;
      const series = await answer<{ exemplars: { labels: Sample['metric'] }[] }[]>(
        `${url}/api/v1/query_exemplars?query=${encodeURIComponent(expression)}&${range}`,
      );
      return series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
    },
    rules: async () => {
      const { groups } = await answer<{ groups: { rules: Rule[] }[] }>(`${url}/api/v1/rules`);
      return groups.flatMap(({ rules }) => rules);
    },
    stop,
  };
}

/** A configuration, or rules, with a second for every interval, and the targets where they are. */
const toTest = (text: string, urls: Readonly<Record<string, string>>): string =>
  text
    .replaceAll(/(interval|timeout): \d+[sm]/g, '$1: 1s')
    .replaceAll(/targets: \["([\w-]+):\d+"\]/g, (_, name: string) =>
      urls[name] === undefined ? 'targets: []' : `targets: ["${new URL(urls[name]).host}"]`,
    );

/** What Prometheus answers, without its envelope. */
async function answer<T>(url: string): Promise<T> {
  const body = (await (await fetch(url)).json()) as { data: T; errorType?: string; error?: string };
  if (body.errorType !== undefined) throw new Error(`[${body.errorType}] ${body.error}`);
  return body.data;
}
