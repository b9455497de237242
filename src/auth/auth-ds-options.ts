import {
  boolean,
  type DictionaryValue,
  enumeration,
  exactDictionary,
  type Option,
  option,
  optional,
  text,
  ValueError,
  type ValueType,
} from '../config/index.ts';
import { readTemplate, type Template } from './auth-ds-template.ts';
import { STORED_TYPES, type StoredType } from './named-scheme.ts';

/** Parameters of a query, each with what is to be put in: `[ user = "%{username}" ]`. */
const expansions: ValueType<ReadonlyMap<string, Template>> = {
  title: 'a dictionary [ name = "%{username}" … ]',
  shape: { kind: 'dictionary' },
  examples: ['[ user = "%{username}" ]'],
  read: (raw) => mapped(exactDictionary.read(raw), readTemplate),
};

/** `[ C = "clear" U = "ucrypt" ]`; the contents of a column are compared as they are. */
const types: ValueType<ReadonlyMap<string, StoredType>> = {
  title: 'a dictionary from contents of type_column to types of passwords',
  shape: { kind: 'dictionary' },
  examples: ['[ C = "clear" U = "ucrypt" ]'],
  read: (raw) =>
    mapped(exactDictionary.read(raw), (word) =>
      storedType.read({ kind: 'text', text: word, quoted: true, at: raw.at }),
    ),
};

const storedType = enumeration(...STORED_TYPES);

function mapped<T>(values: DictionaryValue, read: (text: string) => T): ReadonlyMap<string, T> {
  return new Map(
    [...values].map(([key, value]) => {
      if (typeof value !== 'string') throw new ValueError(`one text for ${key}`);
      return [key, read(value)];
    }),
  );
}

const scope = 'authenticate';

export const query = option('query', optional(text), { scope });
export const cache = option('cache', optional(text), { scope });
export const map = option('map', optional(expansions), { scope });
export const returnsPassword = option('returns_password', boolean, { scope });
export const passwordColumn = option('password_column', optional(text), { scope });
export const type = option('type', optional(storedType), { scope });
export const typeColumn = option('type_column', optional(text), { scope });
export const typeMap = option('type_map', optional(types), { scope });
export const groupColumn = option('group_column', optional(text), { scope: 'querygroups' });

export const authDsOptions: readonly Option<unknown>[] = [
  query,
  cache,
  map,
  returnsPassword,
  passwordColumn,
  type,
  typeColumn,
  typeMap,
  groupColumn,
];

/** The stanzas that only auth_ds reads. */
export const authDsStanzas: readonly string[] = ['auth_ds', 'scheme', 'authenticate', 'querygroups', 'enumgroups'];

/** A type by the word that a column has for it. */
export const storedTypeNamed = (word: string | undefined): StoredType | undefined =>
  STORED_TYPES.find((each) => each === word?.toLowerCase());
