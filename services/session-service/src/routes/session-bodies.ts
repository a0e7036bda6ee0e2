import { SESSION_COOKIE, TIERS } from '@curfew/contracts';
import { Type } from 'typebox';

/** An id that becomes a Redis key and a record key: not `*`, which is the realm. */
const Id = (description: string) => Type.String({ minLength: 1, maxLength: 256, pattern: '^(?!\\*$)', description });
const Text = (maxLength = 256) => Type.String({ minLength: 1, maxLength });
const Instant = (description: string) => Type.String({ format: 'date-time', description: `${description} (RFC 3339)` });

const tier = Type.Enum([...TIERS], { description: 'What the session is good for; each has lifetimes of its own' });
const roles = Type.Array(Text(), { maxItems: 64 });
const amr = Type.Array(Text(), { maxItems: 16 });
const Ux = Type.Record(Text(64), Type.String({ maxLength: 512 }), {
  description: 'What a user interface keeps for a while; at most 512 bytes of JSON',
});

const order = {
  asOfVersion: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'The current version of the subject, read before the credential was checked',
    }),
  ),
  after: Type.Optional(
    Type.Object(
      { partition: Type.Integer({ minimum: 0 }), offset: Type.Integer({ minimum: 0 }) },
      {
        additionalProperties: false,
        description: 'Where an account event was acknowledged that this sign-in comes after',
      },
    ),
  ),
};

export const SignInBody = Type.Object(
  {
    subject: Id('The account, as account events name it'),
    tenant: Type.Optional(Id('The customer organisation')),
    roles: Type.Optional(roles),
    tier: Type.Optional(tier),
    acr: Type.Optional(Text()),
    amr: Type.Optional(amr),
    client: Type.Optional(
      Type.Object(
        { device: Type.Optional(Text()), userAgent: Type.Optional(Text(512)), ip: Type.Optional(Text(64)) },
        { additionalProperties: false },
      ),
    ),
    mode: Type.Optional(
      Type.Enum(['bearer', 'cookie'], { description: 'How it is carried; by tokens unless it says otherwise' }),
    ),
    ux: Type.Optional(Ux),
    ...order,
  },
  { additionalProperties: false },
);

const shown = {
  refreshToken: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
  cookie: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: `Value of ${SESSION_COOKIE}` })),
};
/** One of the two, which the schema cannot say without making errors that nobody understands. */
const oneOf = 'Either a refresh token or a cookie';

export const RefreshBody = Type.Object(shown, { additionalProperties: false, description: oneOf });

export const ReauthenticateBody = Type.Object(
  {
    ...shown,
    subject: Type.Optional(Id('Whose credential was shown: the session must be theirs')),
    roles: Type.Optional(roles),
    tier: Type.Optional(tier),
    acr: Type.Optional(Text()),
    amr: Type.Optional(amr),
    ...order,
  },
  { additionalProperties: false, description: `${oneOf}, and what the subject is known by now` },
);

export const UxBody = Type.Object({ ux: Ux }, { additionalProperties: false });
export const SidParams = Type.Object({ sid: Type.String({ minLength: 1, maxLength: 256 }) });
export const SubjectParams = Type.Object({ sub: Id('The account') });
export const EndAllQuery = Type.Object(
  { except: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'The one session that goes on' })) },
  { additionalProperties: false },
);

export const Vector = Type.Object({
  s: Type.Integer({ description: 'Version of the subject' }),
  t: Type.Integer({ description: 'Version of the tenant' }),
  r: Type.Integer({ description: 'Version of the realm' }),
  at: Type.Integer({ description: 'When they were read, ms since the epoch' }),
});

/** By tokens: the two of them. By a cookie: its value, and the header that sets it. */
export const GrantReply = Type.Object({
  sid: Type.String({ description: 'Names the session, and is no secret' }),
  accessToken: Type.Optional(Type.String({ description: 'JWT (RFC 9068)' })),
  refreshToken: Type.Optional(Type.String({ description: 'Exchanged once; each exchange brings its successor' })),
  cookie: Type.Optional(Type.String({ description: `Value of ${SESSION_COOKIE}: a secret` })),
  setCookie: Type.Optional(Type.String({ description: 'The Set-Cookie header to pass on to the browser' })),
  expiresAt: Instant('When the access token expires, or the session at the latest'),
  version: Vector,
});

export const SessionReply = Type.Object({
  sid: Type.String(),
  subject: Type.String(),
  tenant: Type.Optional(Type.String()),
  roles: Type.Array(Type.String()),
  tier: Type.String(),
  acr: Type.Optional(Type.String()),
  amr: Type.Optional(Type.Array(Type.String())),
  device: Type.Optional(Type.String()),
  userAgent: Type.Optional(Type.String()),
  ip: Type.Optional(Type.String({ description: 'The network that it was made from' })),
  clientId: Type.Optional(Type.String()),
  ux: Type.Optional(Ux),
  standing: Type.Enum(['active', 'stale', 'revoked']),
  createdAt: Instant('When the session began'),
  authenticatedAt: Instant('When the subject last showed a credential'),
  lastSeenAt: Instant('When it was last used, to the minute'),
  expiresAt: Instant('When it ends at the latest'),
  version: Vector,
});

export const SessionsReply = Type.Object({ sessions: Type.Array(SessionReply) });

export const RevocationBody = Type.Object(
  {
    sub_id: Type.Unsafe<object>({ type: 'object', description: 'Whose sessions end (RFC 9493; SSF complex subjects)' }),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'For an administrator to read' })),
  },
  { additionalProperties: false },
);

export const RevocationReply = Type.Object({
  id: Type.String({ description: 'jti of the account event' }),
  partition: Type.Optional(Type.Integer()),
  offset: Type.Optional(Type.Integer()),
  status: Type.Optional(
    Type.Literal('accepted, not yet effective', { description: 'The bus is down: the event follows when it is back' }),
  ),
});

export const VersionReply = Type.Object({
  subject: Type.String(),
  current: Type.Integer({ description: 'Below it a session is stale' }),
  floor: Type.Integer({ description: 'Below it a session is revoked' }),
  blocked: Type.Boolean({ description: 'No new session is made' }),
});
