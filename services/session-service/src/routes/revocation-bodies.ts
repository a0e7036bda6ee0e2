import { Type } from 'typebox';
import { RevocationReply } from './session-bodies.ts';

const Instant = (description: string) => Type.String({ format: 'date-time', description: `${description} (RFC 3339)` });
export const DEFAULT_LIMIT = 50;
export const DEFAULT_WAIT_MS = 10_000;
const MAX_WAIT_MS = 60_000;

/** Query of whoever waits. */
export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Enum(['effective'], { description: 'Answers once no sidecar accepts what has ended, or the time is over' }),
    ),
    timeoutMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_WAIT_MS,
        default: DEFAULT_WAIT_MS,
        description: 'How long it waits at the most',
      }),
    ),
  },
  { additionalProperties: false },
);

export const ListQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: DEFAULT_LIMIT })),
    subject: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    session: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    canaries: Type.Optional(Type.Boolean({ default: false, description: 'Those that only measure as well' })),
    since: Type.Optional(Instant('Acknowledged after it')),
  },
  { additionalProperties: false },
);

export const RevocationParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 256, description: 'jti of the account event' }),
});

const Exposed = Type.Integer({
  description: 'Requests accepted between its acknowledgement and its application, of the sessions concerned',
});
const AtLeast = Type.Boolean({
  description: 'There may have been more: a sidecar has not said, does not remember, or cannot tell by its clock',
});

const SidecarOutcome = Type.Object({
  service: Type.String(),
  instance: Type.String(),
  state: Type.String({ description: 'What it said last, or `silent`' }),
  effective: Type.Boolean(),
  by: Type.Enum(['receipt', 'lease', 'pending'], {
    description: 'It has said so; it was silent for its bound, and accepts nothing by itself; or neither',
  }),
  appliedAt: Type.Optional(Instant('When it applied the event')),
  latencyMs: Type.Optional(Type.Integer({ description: 'From the acknowledgement to that' })),
  effectiveAt: Type.Optional(Instant('Since when it accepts nothing of what has ended')),
  exposed: Type.Optional(Exposed),
  atLeast: Type.Optional(AtLeast),
  says: Type.String({ description: 'The same in words' }),
});

export const RevocationReport = Type.Object({
  id: Type.String({ description: 'jti of the account event' }),
  partition: Type.Integer(),
  offset: Type.Integer(),
  why: Type.String({ description: 'The event type in short' }),
  scopes: Type.Array(Type.String(), { description: '`u:` a subject, `t:` a tenant, `s:` a session, `r` everybody' }),
  traceId: Type.Optional(Type.String()),
  canary: Type.Optional(Type.Boolean({ description: 'It measures, and ends nothing' })),
  at: Instant('When the bus acknowledged it'),
  appliedAt: Type.Optional(Instant('When Redis had applied it')),
  announcedAt: Instant('When it was announced to the sidecars'),
  effective: Type.Boolean({ description: 'No sidecar accepts what has ended' }),
  effectiveAt: Type.Optional(Instant('Since when')),
  summary: Type.String({ description: 'On how many of how many sidecars it is effective' }),
  says: Type.Optional(Type.String({ description: 'Why it is effective at once, where it is' })),
  exposed: Exposed,
  atLeast: Type.Optional(AtLeast),
  sidecars: Type.Array(SidecarOutcome),
});

export const RevocationsReply = Type.Object({
  revocations: Type.Array(RevocationReport),
  truncated: Type.Optional(
    Type.Boolean({ description: 'There may be older ones: only the newest 1000 are looked at' }),
  ),
});

/** Published, and not known to be effective: with what is known by then, where that was waited for. */
export const AcceptedReply = Type.Object({
  ...Type.Partial(RevocationReport).properties,
  ...RevocationReply.properties,
});

export const SidecarsReply = Type.Object({
  sidecars: Type.Array(
    Type.Object({
      service: Type.String(),
      instance: Type.String(),
      state: Type.Enum(['starting', 'live', 'behind', 'cut-off', 'closed', 'silent']),
      startedAt: Instant('When it began'),
      lastReceiptAt: Instant('When it last said something'),
      leaseUntil: Instant('Silent until then, it accepts nothing any more by itself'),
      boundMs: Type.Integer({ description: 'Its bound' }),
      lagRecords: Type.Integer({ description: 'Account events that another sidecar has applied already' }),
      partitions: Type.Array(
        Type.Object({
          partition: Type.Integer(),
          offset: Type.Integer({ description: 'Of the account event or tick applied last; -1 before the first' }),
          tick: Type.Optional(Instant('The newest tick applied')),
          ageMs: Type.Integer({ description: 'Age of its view, the skew included' }),
        }),
      ),
    }),
  ),
});
