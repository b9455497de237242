import { nearest } from '../base/index.ts';
import { ValueError } from '../config/index.ts';
import type { LdapBind } from '../world/index.ts';

export type Parameters = ReadonlyMap<string, string | null>;

/** Longest time that an extension may give, in seconds. */
const MOST_SECONDS = 3600;

const EXTENSIONS = [
  'bindname',
  'x-bindpw',
  'x-connect-timeout',
  'x-disable-connection-cache',
  'x-ignore-referrals',
  'x-ldap-version',
  'x-return-dn',
  'x-search-timeout',
] as const;

/** A part of a URL in which `$name` stands for a parameter. */
interface Template {
  readonly text: string;
  /** What a value must look like there: nothing of it may be read as the language around it. */
  readonly quoted: (value: string) => string;
}

/**
 * An LDAP URL (RFC 4516, as RFC 2255 before it): `ldap://host:port/dn?attributes?scope?filter?extensions`. It is taken
 * apart and decoded before any value is put in, so that no value can change its shape.
 */
export interface LdapUrl {
  /** Empty where the URL leaves it to the datasource. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly base: Template | undefined;
  readonly attributes: readonly string[];
  readonly scope: 'base' | 'one' | 'sub' | undefined;
  readonly filter: Template | undefined;
  readonly bindName: Template | undefined;
  readonly bindPassword: Template | undefined;
  readonly dnColumn: string | undefined;
  readonly connectMillis: number | undefined;
  readonly searchMillis: number | undefined;
  /** False with `x-disable-connection-cache`. */
  readonly keepConnection: boolean;
  /** Parameters that it wants. */
  readonly names: ReadonlySet<string>;
  /** A URL without parameters. */
  plain(): { readonly host: string; readonly port: number; readonly tls: boolean; readonly bind: LdapBind | undefined };
}

/** @throws ValueError */
export function readLdapUrl(text: string): LdapUrl {
  const [, scheme, authority = '', path = ''] = /^(ldaps?):\/\/([^/?]*)(.*)$/is.exec(text.trim()) ?? [];
  if (scheme === undefined) throw new ValueError('an LDAP URL as ldap://host/dn?attributes?scope?filter?extensions');
  const tls = scheme.toLowerCase() === 'ldaps';
  const { host, port } = hostOf(authority, tls ? 636 : 389);
  const [dn = '', attributes = '', scope = '', filter = '', extensions = '', more] = path.replace(/^\//, '').split('?');
  if (more !== undefined && more !== '') throw new ValueError('at most four question marks in an LDAP URL');
  const said = extensionsOf(extensions);
  const part = (written: string | undefined, quoted: (value: string) => string): Template | undefined =>
    written === undefined || written === '' ? undefined : { text: decoded(written), quoted };
  const base = part(dn, escapeDn);
  const search = part(filter, escapeFilter);
  const bindName = part(said.get('bindname'), escapeDn);
  const bindPassword = part(said.get('x-bindpw'), (value) => value);
  const bind = (): LdapBind | undefined =>
    bindName === undefined ? undefined : { dn: bindName.text, password: bindPassword?.text ?? '' };
  return {
    host,
    port,
    tls,
    base,
    attributes:
      attributes === ''
        ? []
        : decoded(attributes)
            .split(',')
            .map((each) => each.trim()),
    scope: scopeOf(scope),
    filter: search === undefined ? undefined : { ...search, text: filterText(search.text) },
    bindName,
    bindPassword,
    dnColumn: said.get('x-return-dn'),
    connectMillis: millisOf(said, 'x-connect-timeout'),
    searchMillis: millisOf(said, 'x-search-timeout'),
    keepConnection: !/^(?:true|1|yes)$/i.test(said.get('x-disable-connection-cache') ?? ''),
    names: new Set(
      [base, search, bindName, bindPassword].flatMap((each) => (each === undefined ? [] : namesIn(each.text))),
    ),
    plain: () => ({ host, port, tls, bind: bind() }),
  };
}

/** @throws ValueError when there is no such parameter */
export function filled({ text, quoted }: Template, parameters: Parameters): string {
  return text.replace(NAME, (_, name: string) => {
    const value = parameters.get(name);
    if (value === undefined) throw new ValueError(`there is no parameter ${name}`);
    return quoted(value ?? '');
  });
}

export const namesIn = (text: string): readonly string[] => [...text.matchAll(NAME)].map(([, name]) => name ?? '');

const NAME = /\$([A-Za-z_][A-Za-z0-9_]*)/g;

/** RFC 4515 §3. */
const escapeFilter = (value: string): string =>
  value.replace(/[\\*()\0]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** RFC 4514 §2.4. */
function escapeDn(value: string): string {
  return value
    .replace(/[\\"+,;<>=]/g, (char) => `\\${char}`)
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, (char) => `\\${char}`)
    .replace(/ $/, '\\ ');
}

/** A filter without parentheses around it is one as well, in URLs that people write. */
const filterText = (text: string): string => (text.startsWith('(') ? text : `(${text})`);

function hostOf(authority: string, usual: number): { readonly host: string; readonly port: number } {
  const [, six, name = '', port] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(authority) ?? [
    authority,
    undefined,
    undefined,
    '0',
  ];
  const number = port === undefined ? usual : Number(port);
  if (number < 1 || number > 65_535) throw new ValueError('host:port behind ldap://');
  return { host: decoded(six ?? name), port: number };
}

function scopeOf(text: string): LdapUrl['scope'] {
  switch (text.toLowerCase()) {
    case '':
      return undefined;
    case 'base':
      return 'base';
    case 'one':
    case 'onelevel':
      return 'one';
    case 'sub':
    case 'subtree':
      return 'sub';
    default:
      throw new ValueError(`a scope of base, one or sub in the LDAP URL; '${text}' is none`);
  }
}

function extensionsOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const key = (at === -1 ? part : part.slice(0, at)).trim().replace(/^!/, '').toLowerCase();
    // The DN of a bind may stand with its commas as they are: what is no extension belongs to the one before it.
    if (!EXTENSIONS.some((each) => each === key)) {
      if (found.has('bindname') && !key.startsWith('x-')) {
        found.set('bindname', `${found.get('bindname') ?? ''},${part}`);
        continue;
      }
      const meant = nearest(key, EXTENSIONS);
      throw new ValueError(
        `an extension that is known in the LDAP URL; '${key}' is none${meant === undefined ? '' : `, did you mean ${meant}?`}`,
      );
    }
    found.set(key, at === -1 ? '' : part.slice(at + 1));
  }
  const version = found.get('x-ldap-version');
  if (version !== undefined && version !== '3') throw new ValueError('x-ldap-version = 3: nothing else is spoken');
  if (found.get('x-ignore-referrals') === '0')
    throw new ValueError('x-ignore-referrals = 1: referrals are not followed');
  const column = found.get('x-return-dn');
  if (column === '') throw new ValueError('a name for x-return-dn');
  return found;
}

function millisOf(said: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = said.get(key);
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > MOST_SECONDS) throw new ValueError(`seconds from 1 to ${MOST_SECONDS} for ${key}`);
  return seconds * 1000;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError('two hexadecimal digits behind each % of the LDAP URL');
  }
}
