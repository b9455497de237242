import { isDeepStrictEqual } from 'node:util';

/**
 * Holds a value to a JSON Schema, as far as our own schemas go: an unknown keyword is an error of the test, so that none
 * is overlooked.
 *
 * @returns what is wrong, each with the path of the value; nothing when it fits
 */
export function schemaMistakes(schema: unknown, value: unknown): readonly string[] {
  return mistakes(object(schema), object(schema), value, '');
}

type Fields = Readonly<Record<string, unknown>>;

function mistakes(root: Fields, schema: Fields, value: unknown, path: string): readonly string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`the checker does not know the keyword ${keyword}`);
    return check({ root, schema, rule, value, path });
  });
}

interface Asked {
  readonly root: Fields;
  readonly schema: Fields;
  readonly rule: unknown;
  readonly value: unknown;
  readonly path: string;
}

const nothing = (): readonly string[] => [];
const wrong = (is: boolean, path: string, text: string): readonly string[] => (is ? [`${path || '/'}: ${text}`] : []);

const CHECKS: Readonly<Record<string, (asked: Asked) => readonly string[]>> = {
  $schema: nothing,
  $defs: nothing,
  title: nothing,
  description: nothing,
  $ref: ({ root, rule, value, path }) => {
    const name = /^#\/\$defs\/(\w+)$/.exec(String(rule))?.[1] ?? '';
    return mistakes(root, object(object(root.$defs)[name]), value, path);
  },
  type: ({ rule, value, path }) => wrong(!isOfType(String(rule), value), path, `is not of type ${rule}`),
  const: ({ rule, value, path }) => wrong(!isDeepStrictEqual(rule, value), path, `is not ${JSON.stringify(rule)}`),
  enum: ({ rule, value, path }) => wrong(!list(rule).includes(value), path, `is none of ${list(rule).join(', ')}`),
  pattern: ({ rule, value, path }) =>
    wrong(typeof value === 'string' && !new RegExp(String(rule)).test(value), path, `does not match ${rule}`),
  minimum: ({ rule, value, path }) =>
    wrong(typeof value === 'number' && value < Number(rule), path, `is below ${rule}`),
  minItems: ({ rule, value, path }) =>
    wrong(Array.isArray(value) && value.length < Number(rule), path, `has fewer than ${rule} items`),
  items: ({ root, rule, value, path }) =>
    Array.isArray(value) ? value.flatMap((item, at) => mistakes(root, object(rule), item, `${path}/${at}`)) : [],
  properties: ({ root, rule, value, path }) =>
    isObject(value)
      ? Object.entries(object(rule)).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) ? mistakes(root, object(schema), value[name], `${path}/${name}`) : [],
        )
      : [],
  required: ({ rule, value, path }) =>
    isObject(value)
      ? list(rule).flatMap((name) => wrong(!Object.hasOwn(value, String(name)), path, `lacks ${name}`))
      : [],
  additionalProperties: ({ root, schema, rule, value, path }) => {
    if (!isObject(value)) return [];
    const named = object(schema.properties ?? {});
    const others = Object.keys(value).filter((name) => !Object.hasOwn(named, name));
    return others.flatMap((name) =>
      rule === false
        ? wrong(true, path, `has ${name}, which is not known`)
        : mistakes(root, object(rule), value[name], `${path}/${name}`),
    );
  },
  oneOf: ({ root, rule, value, path }) => {
    const fit = list(rule).filter((each) => mistakes(root, object(each), value, path).length === 0).length;
    return wrong(fit !== 1, path, `fits ${fit} of the forms and not one`);
  },
};

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: unknown): Fields {
  if (!isObject(value)) throw new Error(`${JSON.stringify(value)} is no schema`);
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${JSON.stringify(value)} is no list`);
  return value;
}
