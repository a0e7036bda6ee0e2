export type { SessionVersions, Verdict } from '@curfew/replica';
export type { Status } from './lifecycle.ts';
export type { SidecarOptions, StatusChange } from './options.ts';
export type { Authentication, Policy, Rejection, RejectionCode, RoutePolicy, Session, Source } from './session.ts';
export type { Sidecar } from './sidecar.ts';
export { createSidecar } from './sidecar.ts';
