import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { NO_PROMETHEUS, onPath } from '../../../infra/local/programs.mjs';

const PROMETHEUS = inRoot('infra/prometheus');
const TESTS = readdirSync(`${PROMETHEUS}/tests`).map((file) => `${PROMETHEUS}/tests/${file}`);
const alerts = readFileSync(`${PROMETHEUS}/rules/alerts.yml`, 'utf8')
  .split(/^ +- alert: /m)
  .slice(1);
const nameOf = (alert: string) => alert.split('\n')[0] ?? '';

const noPromtool = !onPath('promtool');
if (noPromtool) console.warn(NO_PROMETHEUS);

/** The output of a run of promtool that ends well; its end and its output of one that does not. */
function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return status === 0 ? stdout : `exit code ${status}\n${stdout}${stderr}`;
}

describe.skipIf(noPromtool)('promtool', () => {
  test('takes the configuration and the rules', () => {
    expect(promtool('check', 'config', `${PROMETHEUS}/prometheus.yml`)).toMatch(/alerts\.yml\n +SUCCESS: \d+ rules/);
  });

  test('sees each alert fire where it should, and not where it should not', { timeout: 60_000 }, () => {
    expect(promtool('test', 'rules', ...TESTS).match(/SUCCESS/g)).toHaveLength(TESTS.length);
  });
});

describe('each alert', () => {
  const tests = TESTS.map((file) => readFileSync(file, 'utf8')).join('');
  const runbook = readFileSync(inRoot('docs/runbook.md'), 'utf8').split(/^## /m);

  test.each(alerts.map(nameOf))('%s is tested where it fires and where it does not', (name) => {
    expect(tests).toMatch(new RegExp(`alertname: ${name}\n +exp_alerts: \\[\\]`));
    expect(tests).toMatch(new RegExp(`alertname: ${name}\n +exp_alerts:\n`));
  });

  test.each(alerts.map((alert) => [nameOf(alert), alert] as const))('%s has its paragraph', (name, alert) => {
    expect(alert).toContain(`runbook: docs/runbook.md#${name.toLowerCase()}\n`);
    const paragraph = runbook.find((one) => one.startsWith(`${name}\n`)) ?? '';
    for (const part of [/\*\*Means\.\*\*/, /\*\*Users\s+see\*\*/, /\*\*Do\.\*\*/]) expect(paragraph).toMatch(part);
  });
});

test('what the runbook says to type names a broker where it is for Kafka', () => {
  const commands = readFileSync(inRoot('docs/runbook.md'), 'utf8').match(/`kcat [^`]+`/g);
  expect(commands?.filter((command) => !command.includes(' -b <broker> '))).toEqual([]);
});
