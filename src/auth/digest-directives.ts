/** The directives of a DIGEST-MD5 challenge or response, by lower-case name; lists keep all values. */
export type Directives = ReadonlyMap<string, readonly string[]>;

/** Directives in one text: longer ones are not read. */
const MOST = 64;

/**
 * Reads `name=value` pairs with commas between them; a value is a token or a quoted string (RFC 2831 §7.1). Empty
 * elements are allowed, as in HTTP.
 *
 * @returns undefined when the text is not of that form
 */
export function readDirectives(text: string): Directives | undefined {
  const found = new Map<string, string[]>();
  const element =
    /[ \t\r\n]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t\r\n]*=[ \t\r\n]*(?:"((?:[^"\\]|\\[\s\S])*)"|([^",\s]+))[ \t\r\n]*)?(,|$)/y;
  let count = 0;
  while (element.lastIndex < text.length) {
    const match = element.exec(text);
    if (match === null || ++count > MOST) return undefined;
    const [, name, quoted, token, end] = match;
    if (name !== undefined) {
      const values = found.get(name.toLowerCase()) ?? [];
      values.push(token ?? (quoted ?? '').replaceAll(/\\([\s\S])/g, '$1'));
      found.set(name.toLowerCase(), values);
    }
    if (end === '') break;
  }
  return found;
}

/** @returns the value of a directive that may stand there once; undefined when it stands there not at all, or twice */
export function only(directives: Directives, name: string): string | undefined {
  const values = directives.get(name);
  return values?.length === 1 ? values[0] : undefined;
}

export const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
