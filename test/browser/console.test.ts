import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { credentialOf } from '../../infra/local/clients.mjs';
import { chromiumPath } from '../../infra/local/programs.mjs';
import { launchBrowser } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const LIMIT_MS = 20_000;
const PICTURES = process.env['CURFEW_PICTURES'];
const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
/** A trace as the tracing tool would show it. */
const TRACE_URL = 'https://traces.example.com/{traceId}';

describe.skipIf(chromiumPath() === undefined)('the console, in a browser', { timeout: 60_000 }, () => {
  let services: Services;
  let browser: Browser;
  let console_: string;
  let alice: { readonly sid: string; readonly accessToken: string };
  /** What a page complained about: a script that failed, a file that its policy refuses. */
  const complaints: string[] = [];

  beforeAll(async () => {
    [services, browser] = await Promise.all([
      startServices(inject('stack'), true, { console: { CURFEW_TRACE_URL: TRACE_URL } }, true),
      launchBrowser(),
    ]);
    console_ = services.urls.console;
    alice = await signIn('alice');
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await services?.stop();
  });

  async function signIn(subject: string): Promise<typeof alice> {
    const body = { subject, roles: ['user'], client: { device: 'laptop' } };
    const answer = await call('POST', `${services.urls['session-service']}/v1/sessions`, { as: 'login', body });
    expect(answer.status).toBe(201);
    return answer.body as unknown as typeof alice;
  }

  async function open(path = '', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      viewport: WIDE,
      colorScheme: 'dark',
      reducedMotion: 'reduce',
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    page.on('pageerror', (error) => complaints.push(`${error}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(`${console_}/${path}`);
    await page.getByText('UTC').first().waitFor();
    return page;
  }

  const headline = (page: Page) => page.getByRole('heading', { level: 1 });
  /** Keeps a picture for the documentation, where they are asked for: `npm run test:browser`. */
  const shot = async (page: Page, name: string) => {
    if (PICTURES === undefined) return;
    await page.evaluate('document.fonts.ready');
    await page.screenshot({ path: `${PICTURES}/${name}.png` });
  };
  const table = (page: Page, name: string) => page.getByRole('group', { name }).getByRole('table');
  /** The text of an element comes to be this. */
  const becomes = (element: { innerText(): Promise<string> }, text: string | RegExp) =>
    vi.waitFor(async () => expect(await element.innerText()).toMatch(text), { timeout: LIMIT_MS, interval: 50 });

  async function accessibilityOf(page: Page) {
    // As an expression of its own: the policy of the page lets no script in.
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate('axe.run(document)')) as axe.AxeResults;
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  test('says that revocations are effective everywhere, and on how many sidecars', async () => {
    const page = await open();
    await becomes(headline(page), 'Revocations are effective everywhere');
    await becomes(page.getByRole('main'), /2 of 2 sidecars/);
    await becomes(table(page, 'Sidecars'), /orders\s+live[\s\S]*payments\s+live/);
    // A canary has told how long it takes.
    await becomes(page.getByRole('main'), /Last canary\s+2 of 2 after [\d.]+ m?s/);
  });

  test('finds a subject, revokes their sessions with the credential of an operator, and shows it effective', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('alice');
    await page.keyboard.press('Enter');
    await becomes(table(page, 'Sessions'), new RegExp(`${alice.sid}\\s+active\\s+laptop`));

    await page.getByRole('link', { name: 'Revoke…' }).click();
    expect(await page.getByLabel('Subject', { exact: true }).inputValue()).toBe('alice');
    await page.getByLabel('Reason').fill('a stolen laptop');
    await page.getByLabel('Credential').fill(credentialOf('operator'));
    await shot(page, 'revoke-dark');
    await page.getByRole('button', { name: 'Revoke all sessions' }).click();

    await becomes(headline(page), /^Effective on 2 of 2 sidecars after [\d.]+ m?s$/);
    await becomes(page.getByRole('main'), 'No request was let through.');
    await becomes(
      table(page, 'Hops'),
      /applied in Redis[\s\S]*announced[\s\S]*(orders[\s\S]*payments|payments[\s\S]*orders)[\s\S]*applied after/,
    );
    expect((await call('GET', `${services.urls.orders}/orders`, { token: alice.accessToken })).body['code']).toBe(
      'session_revoked',
    );
    await page.getByRole('link', { name: 'Its own page' }).click();
    await becomes(headline(page), /^Effective on 2 of 2/);
    await shot(page, 'revocation-dark');
  });

  test('shows what became of a revocation to nobody who comes to revoke another', async () => {
    const page = await open('#/revoke?subject=dora');
    const revokeAs = async (subject: string) => {
      await becomes(headline(page), 'Revoke');
      expect(await page.getByLabel('Subject', { exact: true }).inputValue()).toBe(subject);
      expect(await page.getByLabel('Reason').inputValue()).toBe('');
    };
    await revokeAs('dora');
    await page.getByLabel('Reason').fill('a stolen laptop');
    await page.getByLabel('Credential').fill(credentialOf('operator'));
    await page.getByRole('button', { name: 'Revoke all sessions' }).click();
    await becomes(headline(page), /^Effective on 2 of 2/);
    await page.goto(`${console_}/#/subjects/bob`);
    await page.getByRole('link', { name: 'Revoke…' }).click();
    await revokeAs('bob');

    // An answer that comes late belongs to the view that asked for it.
    let answer = () => {};
    const left = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/api/revocations', async (route) => {
      await left;
      await route.continue();
    });
    await page.getByLabel('Reason').fill('a stolen laptop');
    await page.getByRole('button', { name: 'Revoke all sessions' }).click();
    await page.goto(`${console_}/#/revoke?subject=carol`);
    await revokeAs('carol');
    const answered = page.waitForResponse('**/api/revocations');
    answer();
    await (await answered).finished();
    // By the next word of the console it was drawn, had it been for this view.
    const footer = page.getByRole('contentinfo');
    const before = await footer.textContent();
    await vi.waitFor(async () => expect(await footer.textContent()).not.toBe(before), LIMIT_MS);
    await revokeAs('carol');
  });

  test('has a page for each revocation, which is found by its event', async () => {
    const sub_id = { format: 'opaque', id: 'bob' };
    const url = `${services.urls['session-service']}/v1/revocations?wait=effective`;
    const { body } = await call('POST', url, { as: 'admin', body: { sub_id } });
    const page = await open();
    await page.getByRole('searchbox').fill(`${body['id']}`);
    await page.keyboard.press('Enter');
    await becomes(headline(page), /^Effective on 2 of 2/);
    expect(page.url()).toContain(`#/revocations/${body['id']}`);
    await page.reload();
    await becomes(headline(page), /^Effective on 2 of 2/);
    await page.getByRole('link', { name: 'bob' }).click();
    await becomes(table(page, 'Revocations'), '2 of 2');
  });

  test('lists revocations, and canaries where they are asked for', async () => {
    const page = await open('#/revocations');
    await becomes(table(page, 'Revocations'), 'subject bob');
    expect(await table(page, 'Revocations').textContent()).not.toContain('canary');
    await page.getByLabel('Show canaries').check();
    await becomes(table(page, 'Revocations'), 'canary');
    expect(page.url()).toMatch(/#\/revocations\?canaries=true$/);
  });

  test.each([
    ['a wrong credential', 'operator:wrong', /No credential of a client/],
    ['one that may not revoke', credentialOf('console'), /may not do this/],
  ])('refuses %s, says why, and forgets it', async (_, credential, why) => {
    const page = await open('#/revoke?subject=carol');
    await page.getByLabel('Credential').fill(credential);
    await page.getByRole('button', { name: 'Revoke all sessions' }).click();
    await becomes(page.getByRole('alert'), why);
    expect(await page.getByLabel('Credential').inputValue()).toBe('');
    // The browser itself names the answer.
    expect(complaints.splice(0)).toEqual([expect.stringMatching(/40[13]/)]);
  });

  test('names the sidecar that has fallen silent, and says that it refuses by itself; and when it is back', async () => {
    const page = await open();
    await becomes(headline(page), 'Revocations are effective everywhere');
    const { pid } = services.processes.payments;
    process.kill(pid, 'SIGSTOP');
    try {
      await becomes(headline(page), '1 of 2 sidecars silent: payments');
      await becomes(page.getByRole('main'), /it refuses by itself on strict routes since/);
      await becomes(page.getByRole('status'), '1 of 2 sidecars silent: payments');
      expect(await page.title()).toContain('1 of 2 sidecars silent: payments');
      await shot(page, 'silent-dark');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await becomes(headline(page), 'Revocations are effective everywhere');
    await becomes(page.getByRole('status'), 'Revocations are effective everywhere');
  });

  test('claims nothing while its server stands still and no connection ends, and asks it anew', async () => {
    const page = await open();
    await becomes(headline(page), 'Revocations are effective everywhere');
    let asked = 0;
    page.on('request', (request) => {
      asked += Number(request.url().endsWith('/api/events'));
    });
    const { pid } = services.processes.console;
    process.kill(pid, 'SIGSTOP');
    try {
      await becomes(headline(page), 'The console does not answer');
      expect(asked).toBeGreaterThan(0);
      expect(await page.title()).toBe('The console does not answer · Curfew');
      await becomes(page.getByRole('main'), /What is shown is of \d\d:\d\d:\d\d UTC/);
      await becomes(page.getByRole('contentinfo'), 'Not connected');
      await becomes(page.getByRole('status'), 'The console does not answer');
      // Nothing is green: no headline, and nothing of the health.
      expect(await page.locator('.headline.good, .strip.good, .health .good').count()).toBe(0);

      await page.goto(`${console_}/#/fleet`);
      await becomes(page.getByRole('main'), /2 of 2 live then\./);
      await page.goto(`${console_}/#/subjects/alice`);
      await becomes(page.getByRole('banner'), /The console does not answer. What is shown is of/);
      expect(await page.title()).toBe('Subject alice · The console does not answer · Curfew');
      await becomes(page.getByRole('alert'), 'The console does not answer');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await becomes(page.getByRole('banner'), 'Revocations are effective everywhere');
    await becomes(page.getByRole('main'), 'May sign in');
    await becomes(page.getByRole('contentinfo'), 'Live');
  });

  describe.each(['dark', 'light'] as const)('in the %s', (colorScheme) => {
    test.each(['', '#/fleet', '#/revocations?canaries=true', '#/subjects/alice', '#/revoke'])(
      'is accessible, by what can be checked: /%s',
      async (path) => {
        const page = await open(path, { colorScheme });
        await page.locator('main table, main form').first().waitFor();
        expect(await accessibilityOf(page)).toEqual([]);
      },
    );
  });

  test('goes by keys, which can be switched off, and says so', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.type('gf');
    await becomes(headline(page), 'Fleet');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
    await page.keyboard.press('?');
    await page.getByLabel('Single keys are shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.type('go');
    expect(await headline(page).textContent()).toBe('Fleet');
  });

  test('is dark or light as the system is, and as it was chosen last', async () => {
    const page = await open();
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await ground();
    await page.getByRole('button', { name: 'Light' }).click();
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await ground()).toBe(light);
  });

  test('scrolls in one direction only on a phone', async () => {
    const page = await open('', { viewport: PHONE, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
    const url = `${services.urls['session-service']}/v1/revocations?subject=alice`;
    const [latest] = (await call('GET', url, { as: 'admin' })).body['revocations'] as { id: string }[];
    for (const path of [
      '',
      '#/fleet',
      '#/revocations',
      `#/revocations/${latest?.id}`,
      '#/subjects/alice',
      '#/revoke',
    ]) {
      await page.goto(`${console_}/${path}`);
      await page.locator('main table, main form').first().waitFor();
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, PHONE.width]);
    }
    await page.goto(`${console_}/`);
    await becomes(headline(page), 'Revocations are effective everywhere');
    await shot(page, 'overview-phone');
  });

  test('keeps pictures of itself for the documentation', async () => {
    for (const colorScheme of ['dark', 'light'] as const) {
      const page = await open('', { colorScheme });
      await becomes(headline(page), 'Revocations are effective everywhere');
      await shot(page, `overview-${colorScheme}`);
    }
    const page = await open('#/fleet');
    await becomes(table(page, 'Sidecars'), 'live');
    await shot(page, 'fleet-dark');
  });

  test('shows a session service that is away, and not an error', async () => {
    const page = await open();
    await services.processes['session-service'].stop();
    await becomes(headline(page), 'The session service does not answer');
    await becomes(page.getByRole('main'), /What is shown is of \d\d:\d\d:\d\d UTC/);
    await shot(page, 'away-dark');
  });

  test('says that it does not answer itself, once its server is gone', async () => {
    const page = await open();
    await services.processes.console.stop();
    await becomes(headline(page), 'The console does not answer');
    expect(await page.title()).toBe('The console does not answer · Curfew');
    complaints.length = 0;
  });
});
