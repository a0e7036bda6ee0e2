/** The topics' names (DESIGN section 8). Other programs depend on them. */
export const TOPICS = {
  accountEvents: 'curfew.account-events',
  sessionVersions: 'curfew.session-versions',
  receipts: 'curfew.receipts',
  rejected: 'curfew.account-events.rejected',
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Configuration that each topic is created with, and verified against. Versions and horizons need LogAppendTime. */
export const TOPIC_CONFIG: Readonly<Record<(typeof TOPICS)[keyof typeof TOPICS], Readonly<Record<string, string>>>> = {
  [TOPICS.accountEvents]: {
    'cleanup.policy': 'delete',
    'retention.ms': String(7 * DAY_MS),
    'message.timestamp.type': 'LogAppendTime',
  },
  [TOPICS.sessionVersions]: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' },
  [TOPICS.receipts]: { 'cleanup.policy': 'compact,delete', 'retention.ms': String(DAY_MS) },
  [TOPICS.rejected]: { 'cleanup.policy': 'delete', 'retention.ms': String(30 * DAY_MS) },
};

/** Partitions of account-events and session-versions, unless configured. It never changes afterwards. */
export const DEFAULT_PARTITIONS = 12;
