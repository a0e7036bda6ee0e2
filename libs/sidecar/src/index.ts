export type { SessionVersions, Verdict } from '@curfew/replica';
export type { Status } from './lifecycle.ts';
export type { SidecarOptions } from './options.ts';
export type { Authentication, Policy, Rejection, RejectionCode, Session } from './session.ts';
export type { Sidecar } from './sidecar.ts';
export { createSidecar } from './sidecar.ts';
