export type { Entry, Lookup } from './entries.ts';
export type { ReplicaOptions, Verdict } from './replica.ts';
export { Replica } from './replica.ts';
export type { SessionVersions } from './session-versions.ts';
export { sessionVersions } from './session-versions.ts';
