import type { SecurityEventToken } from '@curfew/contracts';
import { Type } from 'typebox';

const subject = Type.String({ minLength: 1, maxLength: 256, description: 'The account' });

const cause = {
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'For an administrator to read' })),
  initiatingEntity: Type.Optional(Type.Enum(['admin', 'user', 'policy', 'system'])),
};

export const PasswordChangedBody = Type.Object(
  {
    subject,
    sessionToKeep: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'The one session that survives; it must renew' }),
    ),
    ...cause,
  },
  { additionalProperties: false },
);

export const AccountDisabledBody = Type.Object({ subject, reason: cause.reason }, { additionalProperties: false });

export const AccountEnabledBody = Type.Object({ subject }, { additionalProperties: false });

export const RolesChangedBody = Type.Object(
  {
    subject,
    roles: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 64,
      description: 'All roles from now on',
    }),
    ...cause,
  },
  { additionalProperties: false },
);

/** Only an object here: the publisher says more exactly than a schema which rule of a SET is broken. */
export const SetBody = Type.Unsafe<SecurityEventToken>({
  type: 'object',
  description: 'Claims of a Security Event Token (RFC 8417): iss, jti, iat, sub_id (RFC 9493), events',
});

export const PublishedReply = Type.Object({
  id: Type.String({ description: 'The jti of the event' }),
  partition: Type.Integer({ description: 'Of curfew.account-events' }),
  offset: Type.Integer(),
});
