export type { App, AppOptions } from './app.ts';
export { createApp, sendProblem } from './app.ts';
export { ENV, listOf, readConfig } from './config.ts';
export type { ServeOptions } from './serve.ts';
export { serve } from './serve.ts';
