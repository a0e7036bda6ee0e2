import fc, { type Arbitrary } from 'fast-check';

/** What of JSON Schema the services' OpenAPI documents use. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const key = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('__proto__', 'constructor', 'toString', ''));

/** Values of a schema. @param known texts that mean something to the service, drawn from as often as made up. */
export function valuesOf(schema: Schema, known: Arbitrary<string>): Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'string':
      return textOf(schema, known);
    case 'integer':
      return fc.oneof(fc.nat(20), fc.maxSafeNat()).map((n) => Math.max(n, schema.minimum ?? n));
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, known), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
    case 'object':
      return objectOf(schema, known);
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

function textOf({ pattern = '', minLength = 0, maxLength = 500 }: Schema, known: Arbitrary<string>): Arbitrary<string> {
  const form = new RegExp(pattern, 'u');
  return fc
    .oneof(known, anyText, fc.string({ minLength: maxLength, maxLength }))
    .map((text) => text.padEnd(minLength, '-').slice(0, maxLength))
    .filter((text) => form.test(text));
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema, known: Arbitrary<string>) {
  if (typeof additionalProperties === 'object')
    return fc.dictionary(key, valuesOf(additionalProperties, known), { maxKeys: 5 });
  if (Object.keys(properties).length === 0) return fc.dictionary(key, fc.jsonValue(), { maxKeys: 5 });
  const members = Object.entries(properties).map(([name, schema]): [string, Arbitrary<unknown>] => {
    const values = valuesOf(schema, known);
    return [
      name,
      required.includes(name) ? values : fc.oneof({ arbitrary: fc.constant(undefined), weight: 2 }, values),
    ];
  });
  return fc.record(Object.fromEntries(members));
}

const DEEP = '<deep>';
const LEVELS = 12_000;

/** A value as JSON, nested more deeply where it was spoiled so than `JSON.stringify` can follow. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value).replace(`"${DEEP}"`, `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`);

const JUNK: readonly ((value: unknown) => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 1e308,
  () => 2 ** 53,
  () => '',
  () => '\0',
  () => '\ud800',
  () => '🔥'.repeat(300),
  () => 'x'.repeat(60_000),
  () => [],
  () => ({}),
  () => JSON.parse('{"__proto__":{"subject":"root"}}'),
  () => DEEP,
  (value) => (typeof value === 'object' ? { ...value, more: DEEP } : DEEP),
  (value) => [value, value],
  (value) => ({ value }),
  (value) => (typeof value === 'string' ? `${value}${value}` : 'text'),
  (value) => (typeof value === 'string' ? value.slice(0, -1) : 0),
  (value) => JSON.stringify(value),
];

/** A value with one thing in it, or itself, turned into something else. */
export const spoiled = (values: Arbitrary<unknown>): Arbitrary<unknown> =>
  fc.tuple(values, fc.nat(), fc.constantFrom(...JUNK)).map(([value, where, junk]) => spoil(value, where, junk));

function spoil(value: unknown, where: number, junk: (value: unknown) => unknown): unknown {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const name = names[where % (names.length + 1)];
  if (name === undefined) return junk(value);
  const inner = (value as Record<string, unknown>)[name];
  const turned = spoil(inner, Math.floor(where / (names.length + 1)), junk);
  return Array.isArray(value)
    ? value.map((one, i) => (String(i) === name ? turned : one))
    : { ...(value as object), [name]: turned };
}
