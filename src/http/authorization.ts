/** What an `Authorization` field says, by RFC 9110 11.6.2, and the verbatim key of Momentum's clients. */
export type Claim =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'digest'; readonly fields: ReadonlyMap<string, string> }
  /** Something that nobody here understands. */
  | { readonly kind: 'unknown' };

const MOST_FIELD = 8192;

export function readAuthorization(field: string | undefined): Claim {
  if (field === undefined || field.trim() === '') return { kind: 'none' };
  if (field.length > MOST_FIELD) return { kind: 'unknown' };
  const text = field.trim();
  const blank = text.indexOf(' ');
  if (blank === -1) return { kind: 'key', key: text };
  const rest = text.slice(blank + 1).trim();
  switch (text.slice(0, blank).toLowerCase()) {
    case 'basic':
      return readBasic(rest);
    case 'bearer':
      return { kind: 'key', key: rest };
    case 'digest': {
      const fields = readFields(rest);
      return fields === undefined ? { kind: 'unknown' } : { kind: 'digest', fields };
    }
    default:
      return { kind: 'unknown' };
  }
}

/** RFC 7617. A key with an empty password is a key: that is how clients without header fields of their own send it. */
function readBasic(encoded: string): Claim {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return { kind: 'unknown' };
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return { kind: 'unknown' };
  const user = text.slice(0, colon);
  const password = text.slice(colon + 1);
  return password === '' && looksLikeKey(user) ? { kind: 'key', key: user } : { kind: 'password', user, password };
}

export const looksLikeKey = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** `a=b, c="d\"e"`. @returns undefined when it is none, or says one thing twice */
function readFields(text: string): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  const field = /\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*(?:,|$)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    if (fields.has(name)) return undefined;
    fields.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
  }
  return fields;
}
