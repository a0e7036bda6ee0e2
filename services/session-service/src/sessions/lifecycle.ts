/** Why a session ended. */
export type EndReason =
  | 'logout'
  | 'logout-everywhere'
  | 'logout-others'
  | 'reauthenticated'
  | 'refresh-reuse'
  | 'session-limit'
  | 'token-revoked';

/** What happened to a session, for whoever counts. */
export type LifecycleChange =
  | { readonly change: 'created' | 'renewed' | 'reauthenticated' | 'reuse-detected' }
  | { readonly change: 'ended'; readonly reason: EndReason; readonly count?: number }
  /** So many sessions the subject has, at a sign-in. */
  | { readonly change: 'counted'; readonly ofSubject: number };

export type OnLifecycle = (change: LifecycleChange) => void;
