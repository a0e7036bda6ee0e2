import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '@curfew/http';
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static';

const PAGE = fileURLToPath(new URL('../page', import.meta.url));
const directoryOf = (module: string) => dirname(fileURLToPath(module));

/** Libraries of the page, as npm installed them. */
const VENDOR: Readonly<Record<string, string>> = {
  '/vendor/uplot/': join(directoryOf(import.meta.resolve('uplot')), '../dist'),
  '/vendor/inter/': directoryOf(import.meta.resolve('@fontsource-variable/inter')),
  '/vendor/lit-html/': join(directoryOf(import.meta.resolve('lit-html')), '..'),
};

const HEADERS = {
  // Nothing but the console's own files; and no text becomes markup but in the templates of lit-html.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types lit-html",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Serves the page and its libraries, and gives every answer the headers that keep others out of it. */
export async function pageRoutes(app: App): Promise<void> {
  app.addHook('onSend', async (_request, reply) => void reply.headers(HEADERS));
  // It changes with the server: asked for anew each time, and sent anew where it is another.
  const options = {
    cacheControl: false,
    setHeaders: (reply) => void reply.header('cache-control', 'no-cache'),
    schemaHide: true,
  } satisfies Partial<FastifyStaticOptions>;
  await app.register(fastifyStatic, { ...options, root: PAGE });
  for (const [prefix, root] of Object.entries(VENDOR))
    await app.register(fastifyStatic, { ...options, root, prefix, decorateReply: false, index: false });
}
