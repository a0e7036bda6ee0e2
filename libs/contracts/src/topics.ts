/** The topics' names (DESIGN section 8). Other programs depend on them. */
export const TOPICS = {
  accountEvents: 'curfew.account-events',
  sessionVersions: 'curfew.session-versions',
  receipts: 'curfew.receipts',
  rejected: 'curfew.account-events.rejected',
} as const;

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** A record that is kept aside is larger than it was by its headers. */
const REJECTED_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Configuration that each topic is created with, and verified against. Versions and horizons need LogAppendTime. The
 * broker decompresses account events, because kafkajs reads no snappy, lz4 or zstd, and a publisher may use any.
 */
export const TOPIC_CONFIG: Readonly<Record<(typeof TOPICS)[keyof typeof TOPICS], Readonly<Record<string, string>>>> = {
  [TOPICS.accountEvents]: {
    'cleanup.policy': 'delete',
    'retention.ms': String(7 * DAY_MS),
    'message.timestamp.type': 'LogAppendTime',
    'compression.type': 'uncompressed',
    'max.message.bytes': String(REJECTED_MAX_BYTES / 2),
  },
  [TOPICS.sessionVersions]: {
    'cleanup.policy': 'compact',
    'message.timestamp.type': 'LogAppendTime',
    // A zombie may announce an older version late. While any sidecar's window may reach back to the newer one, it stays.
    'min.compaction.lag.ms': String(DAY_MS),
    'max.message.bytes': String(1024 * 1024),
  },
  [TOPICS.receipts]: {
    'cleanup.policy': 'compact,delete',
    'retention.ms': String(DAY_MS),
    // A sidecar's own clock may be any.
    'message.timestamp.type': 'LogAppendTime',
    // A session service that starts reads what was said of late, not each sidecar's last word alone.
    'min.compaction.lag.ms': String(HOUR_MS),
  },
  [TOPICS.rejected]: {
    'cleanup.policy': 'delete',
    'retention.ms': String(30 * DAY_MS),
    'max.message.bytes': String(REJECTED_MAX_BYTES),
  },
};

/** A list in a topic's configuration has no order. */
const normalized = (value: string | undefined): string | undefined => value?.split(',').sort().join(',');

/** Where a topic's configuration is another than the one that Curfew needs. */
export const configDifferences = (
  topic: keyof typeof TOPIC_CONFIG,
  actual: Readonly<Record<string, string | undefined>>,
): { name: string; found: string | undefined; needed: string }[] =>
  Object.entries(TOPIC_CONFIG[topic]).flatMap(([name, needed]) =>
    normalized(actual[name]) === normalized(needed) ? [] : [{ name, found: actual[name], needed }],
  );

/** Partitions of account-events and session-versions, unless configured. It never changes afterwards. */
export const DEFAULT_PARTITIONS = 12;
