import { TIERS } from '@curfew/contracts';
import { Type } from 'typebox';

/** An id that becomes a Redis key and a record key: not `*`, which is the realm. */
const Id = (description: string) => Type.String({ minLength: 1, maxLength: 256, pattern: '^(?!\\*$)', description });
const Text = (maxLength = 256) => Type.String({ minLength: 1, maxLength });
const Instant = (description: string) => Type.String({ format: 'date-time', description: `${description} (RFC 3339)` });

export const SignInBody = Type.Object(
  {
    subject: Id('The account, as account events name it'),
    tenant: Type.Optional(Id('The customer organisation')),
    roles: Type.Optional(Type.Array(Text(), { maxItems: 64 })),
    tier: Type.Optional(Type.Enum([...TIERS])),
    acr: Type.Optional(Text()),
    amr: Type.Optional(Type.Array(Text(), { maxItems: 16 })),
    client: Type.Optional(
      Type.Object(
        { device: Type.Optional(Text()), userAgent: Type.Optional(Text(512)), ip: Type.Optional(Text(64)) },
        { additionalProperties: false },
      ),
    ),
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
  },
  { additionalProperties: false },
);

export const RefreshBody = Type.Object(
  { refreshToken: Type.String({ minLength: 1, maxLength: 256 }) },
  { additionalProperties: false },
);

export const SidParams = Type.Object({ sid: Type.String({ minLength: 1, maxLength: 256 }) });
export const SubjectParams = Type.Object({ sub: Id('The account') });

const Vector = Type.Object({
  s: Type.Integer({ description: 'Version of the subject' }),
  t: Type.Integer({ description: 'Version of the tenant' }),
  r: Type.Integer({ description: 'Version of the realm' }),
  at: Type.Integer({ description: 'When they were read, ms since the epoch' }),
});

export const GrantReply = Type.Object({
  sid: Type.String(),
  accessToken: Type.String({ description: 'JWT (RFC 9068)' }),
  refreshToken: Type.String({ description: 'Shown once; each refresh replaces it' }),
  expiresAt: Instant('When the access token expires'),
  version: Vector,
});

export const SessionReply = Type.Object({
  sid: Type.String(),
  subject: Type.String(),
  tenant: Type.Optional(Type.String()),
  roles: Type.Array(Type.String()),
  tier: Type.Optional(Type.String()),
  acr: Type.Optional(Type.String()),
  amr: Type.Optional(Type.Array(Type.String())),
  device: Type.Optional(Type.String()),
  standing: Type.Enum(['active', 'stale', 'revoked']),
  createdAt: Instant('When the session began'),
  expiresAt: Instant('When it ends at the latest'),
  version: Vector,
});

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
