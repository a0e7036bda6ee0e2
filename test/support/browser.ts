import { chromium } from 'playwright-core';
import { chromiumPath } from '../../infra/local/programs.mjs';

/** Starts this machine's Chromium, without a window. Root has no sandbox to give it. */
export const launchBrowser = () =>
  chromium.launch({
    executablePath: chromiumPath() ?? 'chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
