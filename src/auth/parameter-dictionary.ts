import { nearest } from '../base/index.ts';
import { BOOLEANS, type DictionaryValue, dictionary, ValueError, type ValueType } from '../config/index.ts';

/**
 * The parameters of a mechanism: `[ uri = "digest:///path" log_authentication = true ]`.
 *
 * @param keys  all that may stand there
 * @param uris  a uri as it is shown in mistakes, and a whole one for the manual
 * @param read  throws ValueError
 */
export function parameterDictionary<T>(
  keys: readonly string[],
  uris: { readonly shown: string; readonly example: string },
  read: (values: DictionaryValue) => T,
): ValueType<T> {
  const title = `a dictionary [ uri = "${uris.shown}" … ]`;
  return {
    title,
    shape: { kind: 'dictionary' },
    examples: [`[ uri = "${uris.example}" ]`],
    read(raw) {
      const values = dictionary.read(raw);
      for (const key of values.keys()) {
        if (keys.includes(key)) continue;
        const meant = nearest(key, keys);
        throw new ValueError(
          `${title} with ${keys.join(', ')}; '${key}' is none of them${meant === undefined ? '' : `, did you mean ${meant}?`}`,
        );
      }
      return read(values);
    },
  };
}

export function textIn(values: DictionaryValue, key: string): string | undefined {
  const value = values.get(key);
  if (value === undefined || typeof value === 'string') return value;
  throw new ValueError(`one text for ${key}`);
}

/** @param initial  where nothing is said */
export function booleanIn(values: DictionaryValue, key: string, initial = false): boolean {
  const text = textIn(values, key);
  const value = text === undefined ? initial : BOOLEANS.get(text.toLowerCase());
  if (value === undefined) throw new ValueError(`true or false for ${key}`);
  return value;
}
