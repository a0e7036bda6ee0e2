import { TIERS } from '@curfew/contracts';
import { Type } from 'typebox';
import { Vector } from './session-bodies.ts';

export const TokenForm = Type.Object({
  token: Type.String({
    minLength: 1,
    description: 'An access token, a refresh token, or the value of a session cookie',
  }),
  token_type_hint: Type.Optional(Type.String({ description: 'Not needed: the token says what it is' })),
});

const Seconds = (description: string) =>
  Type.Optional(Type.Integer({ description: `${description}, seconds since the epoch` }));
const Text = (description: string) => Type.Optional(Type.String({ description }));

export const IntrospectionReply = Type.Object({
  active: Type.Boolean({ description: 'Of a token that is not, nothing else is said' }),
  token_type: Type.Optional(
    Type.Enum(['Bearer', 'refresh_token', 'session_cookie'], {
      description: 'A service takes `Bearer` as a bearer token',
    }),
  ),
  sub: Text('The account'),
  sid: Text('The session'),
  client_id: Text('The client that signed the session in'),
  iss: Text('The issuer'),
  aud: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  exp: Seconds('When it expires'),
  iat: Seconds('When it was made'),
  jti: Text('Of an access token'),
  auth_time: Seconds('When the subject last showed a credential'),
  acr: Text('How sure the authentication was'),
  amr: Type.Optional(Type.Array(Type.String(), { description: 'Its methods (RFC 8176)' })),
  tier: Type.Optional(Type.Enum([...TIERS])),
  ten: Text('The customer organisation'),
  roles: Type.Optional(Type.Array(Type.String())),
  ver: Type.Optional(Vector),
});
