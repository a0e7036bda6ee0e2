import { isJsonObject, isText, type JsonObject } from './json.ts';
import { fail, ok, type Result } from './result.ts';
import { REALM_ID } from './scope.ts';

/** A subject identifier (RFC 9493), or SSF's complex subject whose members are simple ones. */
export type SubjectId = SimpleSubjectId | ComplexSubjectId;

export type SimpleSubjectId =
  | { readonly format: 'opaque'; readonly id: string }
  | { readonly format: 'iss_sub'; readonly iss: string; readonly sub: string }
  | { readonly format: 'email'; readonly email: string }
  | { readonly format: 'account'; readonly uri: string };

export interface ComplexSubjectId {
  readonly format: 'complex';
  readonly user?: SimpleSubjectId;
  readonly session?: SimpleSubjectId;
  readonly device?: SimpleSubjectId;
  readonly tenant?: SimpleSubjectId;
}

/** Whom an event is about, as plain ids. A tenant of `*` alone is the realm: every tenant. */
export interface Subject {
  readonly user?: string;
  readonly session?: string;
  readonly device?: string;
  readonly tenant?: string;
}

const COMPLEX_MEMBERS = ['user', 'session', 'device', 'tenant'] as const;

/** Longest id that is accepted, in UTF-16 code units. Ids become Redis keys and record keys. */
export const MAX_ID_LENGTH = 256;

/** The field of each simple format that holds the id. An account is its URI whole, `acct:alice@example.com`. */
const ID_FIELD = { opaque: 'id', iss_sub: 'sub', email: 'email', account: 'uri' } as const;

const isSimpleFormat = (format: unknown): format is keyof typeof ID_FIELD =>
  typeof format === 'string' && Object.hasOwn(ID_FIELD, format);

/** Reads `sub_id`. Unknown members of a known format are ignored. */
export function parseSubjectId(value: unknown): Result<SubjectId> {
  if (!isJsonObject(value)) return fail('subject_invalid', 'sub_id is not an object');
  if (value['format'] !== 'complex') return parseSimple(value, 'sub_id');

  const members: { -readonly [M in (typeof COMPLEX_MEMBERS)[number]]?: SimpleSubjectId } = {};
  for (const member of COMPLEX_MEMBERS) {
    const part = value[member];
    if (part === undefined) continue;
    if (!isJsonObject(part)) return fail('subject_invalid', `sub_id.${member} is not an object`);
    const parsed = parseSimple(part, `sub_id.${member}`);
    if (!parsed.ok) return parsed;
    members[member] = parsed.value;
  }
  if (!members.user && (members.session || members.device))
    return fail('subject_invalid', 'a session or a device is named without its user');
  if (!members.user && !members.tenant) return fail('subject_invalid', 'the complex subject names nobody');
  return ok({ format: 'complex', ...members });
}

function parseSimple(value: JsonObject, where: string): Result<SimpleSubjectId> {
  const { format } = value;
  if (!isSimpleFormat(format))
    return fail('subject_format_unknown', `${where}.format is not opaque, iss_sub, email, account or complex`);
  const field = ID_FIELD[format];
  const id = value[field];
  if (!isText(id) || id.length > MAX_ID_LENGTH || !id.isWellFormed())
    return fail('subject_invalid', `${where}.${field} is not a text of 1 to ${MAX_ID_LENGTH} characters`);
  if (id === REALM_ID && where !== 'sub_id.tenant')
    return fail('subject_invalid', `"${REALM_ID}" is the realm: it stands only as the tenant of a complex subject`);
  if (format === 'iss_sub') {
    if (!isText(value['iss'])) return fail('subject_invalid', `${where}.iss is missing`);
    return ok({ format, iss: value['iss'], sub: id });
  }
  return ok({ format, [field]: id } as SimpleSubjectId);
}

const idOf = (simple: SimpleSubjectId): string => {
  switch (simple.format) {
    case 'opaque':
      return simple.id;
    case 'iss_sub':
      return simple.sub;
    case 'email':
      return simple.email;
    case 'account':
      return simple.uri;
  }
};

/** The plain ids that a subject identifier names. */
export function subjectOf(subjectId: SubjectId): Subject {
  if (subjectId.format !== 'complex') return { user: idOf(subjectId) };
  const ids: { -readonly [M in keyof Subject]: Subject[M] } = {};
  for (const member of COMPLEX_MEMBERS) {
    const part = subjectId[member];
    if (part) ids[member] = idOf(part);
  }
  return ids;
}

/** The record key of an event about this subject, which also decides its partition. */
export const recordKeyOf = (subject: Subject): string => subject.user ?? subject.tenant ?? REALM_ID;
