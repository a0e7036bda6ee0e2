import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { playScenario } from '../../infra/local/scenario.mjs';
import { type Services, startServices } from '../support/services.ts';

let services: Services;

beforeAll(async () => {
  services = await startServices(inject('stack'));
});

afterAll(() => services.stop());

const urlsOf = ({ urls }: Services) => ({
  sessionService: urls['session-service'],
  identityPublisher: urls['identity-publisher'],
  orders: urls.orders,
  payments: urls.payments,
});

test('every account event of the scenario ends the right sessions in both services, and no others', async () => {
  const steps = await playScenario({
    urls: urlsOf(services),
    subjectOf: (person) => `${person}-of-the-scenario`,
  });
  expect(
    steps.map(({ title, failure }) => ({ title, failure })).filter(({ failure }) => failure !== undefined),
  ).toEqual([]);
  expect(steps).toHaveLength(16);
  const measured = steps.filter(({ seen }) => typeof seen.orders === 'number');
  expect(measured.map(({ expected }) => expected)).toEqual([
    '401 session_revoked',
    '401 session_revoked',
    '401 session_stale',
    '401 session_revoked',
    '401 session_revoked',
    '401 session_revoked',
  ]);
  for (const { seen } of measured) expect(Math.max(Number(seen.orders), Number(seen.payments))).toBeLessThan(2000);
});

test('a session that no event ends makes the step fail, in words', async () => {
  const steps = await playScenario({
    urls: { ...urlsOf(services), identityPublisher: services.urls['session-service'] },
    subjectOf: (person) => `${person}-of-no-event`,
    limitMs: 100,
  });
  expect(steps.map(({ failure }) => failure).filter(Boolean)).toContain('the answer is 404 route_not_found, not 202');
});
