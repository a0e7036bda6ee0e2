import { randomUUID } from 'node:crypto';
import { TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { NO_PROMETHEUS, onPath } from '../../infra/local/programs.mjs';
import { playScenario } from '../../infra/local/scenario.mjs';
import { formatTable } from '../../infra/local/table.mjs';
import { call } from '../support/client.ts';
import { dashboardExpressions, type Expression, ruleExpressions } from '../support/expressions.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { type Services, startServices } from '../support/services.ts';

const LIMIT_MS = 40_000;

const noPrometheus = !onPath('prometheus');
if (noPrometheus) console.warn(NO_PROMETHEUS);

describe.skipIf(noPrometheus)('a Prometheus that scrapes the running stack', () => {
  const stack = inject('stack');
  const producer = createKafka({ brokers: stack.brokers, clientId: 'dashboards-test' }).producer();
  let services: Services;
  let prometheus: Prometheus;
  /** Of a session that lives through the whole test. */
  let token: string;

  beforeAll(async () => {
    // A window of a second: sessions that live longer are read through.
    const briefly = { CURFEW_WINDOW_MS: '1000' };
    services = await startServices(stack, true, { orders: briefly, payments: briefly }, true);
    prometheus = await startPrometheus(services.urls);
    await producer.connect();
    const signedIn = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
      as: 'login',
      body: { subject: randomUUID() },
    });
    token = String(signedIn.body['accessToken']);
  });
  afterAll(async () => {
    await producer.disconnect();
    await prometheus?.stop();
    await services?.stop();
  });

  /** Sign-ins, renewals, ends of every kind, a token that is shown twice, and a record that nobody understands. */
  async function traffic(run: string): Promise<void> {
    const { orders, payments, ...others } = services.urls;
    const urls = {
      orders,
      payments,
      sessionService: others['session-service'],
      identityPublisher: others['identity-publisher'],
    };
    await producer.send({ topic: TOPICS.accountEvents, messages: [{ key: run, value: '{' }] });
    expect((await call('GET', `${payments}/payments`, { token })).status).toBe(200);
    const steps = await playScenario({ urls, subjectOf: (person) => `${person}-${run}` });
    expect(steps.filter(({ failure }) => failure !== undefined)).toEqual([]);
  }

  /** How many series of an expression have a value that is a number; 0 / 0 is none. */
  const withSeries = async (one: Expression) => {
    const samples = await prometheus.query(one.expression);
    return { ...one, series: samples.filter(({ value }) => !Number.isNaN(value)).length };
  };

  test('reaches every service', async () => {
    const up = () => prometheus.query('up == 1').then((samples) => samples.map(({ metric }) => metric['job']).sort());
    await expect.poll(up, { timeout: 10_000 }).toEqual(Object.keys(services.urls).sort());
  });

  test('has data for every expression of the dashboards and the alerts', { timeout: 2 * LIMIT_MS }, async () => {
    const expressions = [...dashboardExpressions(), ...ruleExpressions(await prometheus.rules())];
    const until = Date.now() + LIMIT_MS;
    let rows: Awaited<ReturnType<typeof withSeries>>[];
    do {
      await traffic(randomUUID());
      rows = await Promise.all(expressions.map(withSeries));
    } while (rows.some(({ series }) => series === 0) && Date.now() < until);

    const columns = ['series', 'of', 'expression'].map((title) => ({ title }));
    console.log(
      formatTable(
        columns,
        rows.map(({ series, of, expression }) => [String(series), of, expression]),
      ),
    );
    expect(rows.filter(({ series }) => series === 0)).toEqual([]);
    expect(rows.length).toBeGreaterThan(80);
  });
});
