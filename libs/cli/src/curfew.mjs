#!/usr/bin/env node
// Plain JavaScript, so that a Node that runs no TypeScript can say so.
if (process.features.typescript) {
  const { main } = await import('./main.ts');
  // Whoever reads it has read enough: `curfew tail | head`.
  process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1));
  process.exitCode = await main(process.argv.slice(2), process);
} else {
  console.error(
    `curfew needs Node 22.22 or newer, and this is ${process.version}. In the repository, \`npx curfew\` takes the right one.`,
  );
  process.exitCode = 2;
}
