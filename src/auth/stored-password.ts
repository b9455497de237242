import { createHash } from 'node:crypto';
import { digestOf } from './digest-md5.ts';
import type { StoredType } from './named-scheme.ts';
import { hex, md5, sameSecret } from './secrets.ts';
import { unixCrypt } from './unix-crypt.ts';

/** Whom a stored password is about. */
export interface StoredFor {
  readonly user: string;
  readonly realm: string;
}

/**
 * Whether a password in clear text is the one that was stored in such a form.
 *
 * @param turn  gives the loop to others between two pieces of work
 * @returns undefined when what is stored is not of that form, or of one that is not known here
 */
export async function fitsStored(
  type: StoredType,
  stored: string,
  password: string,
  { user, realm }: StoredFor,
  turn: () => Promise<void>,
): Promise<boolean | undefined> {
  switch (type) {
    case 'clear':
      return sameSecret(password, stored);
    case 'md5':
      return fitsStored(
        /^[0-9a-fA-F]{32}$/.test(stored) ? 'md5_hex' : stored.startsWith('$1$') ? 'ucrypt' : 'md5_base64',
        stored,
        password,
        { user, realm },
        turn,
      );
    case 'md5_hex':
      return sameHex(md5(password), stored);
    case 'md5_base64':
      return sameBase64(md5(password), stored);
    case 'sha1_hex':
      return sameHex(hashed('sha1', password), stored);
    case 'sha1_base64':
      return sameBase64(hashed('sha1', password), stored);
    case 'digest-md5':
      return sameHex(Buffer.from(digestOf(user, realm, password), 'hex'), stored);
    case 'smd5':
      return salted('md5', password, withoutPrefix(stored, 'SMD5'));
    case 'ssha1':
      return salted('sha1', password, withoutPrefix(stored, 'SSHA'));
    case 'ucrypt': {
      const made = await unixCrypt(password, stored, turn);
      return made === undefined ? undefined : sameSecret(made, stored);
    }
    case 'rfc2307':
      return prefixed(stored, password, turn);
    case 'hmac_md5':
    case 'scram-sha-256':
      return undefined;
  }
}

/** Whether comparing takes milliseconds: crypt(3) is made to be slow. */
export const isCrypted = (type: StoredType, stored: string): boolean =>
  type === 'ucrypt' ||
  (type === 'md5' && stored.startsWith('$1$')) ||
  (type === 'rfc2307' && /^\{CRYPT\}/i.test(stored));

/** @returns a password that is stored in clear text; undefined when it is stored in another form */
export function clearText(type: StoredType, stored: string): string | undefined {
  if (type === 'clear') return stored;
  if (type !== 'rfc2307') return undefined;
  const { scheme, rest } = schemeOf(stored);
  return scheme === '' || CLEAR.has(scheme) ? rest : undefined;
}

const CLEAR = new Set(['CLEAR', 'CLEARTEXT', 'PLAIN']);

/** `{SSHA}…` as directories have it (RFC 2307 §5.3, and what has come since); a text without a prefix is the password. */
async function prefixed(stored: string, password: string, turn: () => Promise<void>): Promise<boolean | undefined> {
  const { scheme, rest } = schemeOf(stored);
  if (scheme === '' || CLEAR.has(scheme)) return sameSecret(password, rest);
  if (scheme === 'CRYPT') {
    const made = await unixCrypt(password, rest, turn);
    return made === undefined ? undefined : sameSecret(made, rest);
  }
  const algorithm = ALGORITHMS.get(scheme.replace(/^S(?=MD5|SHA)/, ''));
  if (algorithm === undefined) return undefined;
  return /^S(?:MD5|SHA)/.test(scheme) && scheme !== 'SHA' && !/^SHA\d/.test(scheme)
    ? salted(algorithm, password, rest)
    : sameBase64(hashed(algorithm, password), rest);
}

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['MD5', 'md5'],
  ['SHA', 'sha1'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA384', 'sha384'],
  ['SHA512', 'sha512'],
]);

function schemeOf(stored: string): { readonly scheme: string; readonly rest: string } {
  const [, scheme = '', rest = stored] = /^\{([A-Za-z0-9-]{1,20})\}(.*)$/s.exec(stored) ?? [];
  return { scheme: scheme.toUpperCase(), rest };
}

const withoutPrefix = (stored: string, scheme: string): string => {
  const found = schemeOf(stored);
  return found.scheme === scheme ? found.rest : stored;
};

const hashed = (algorithm: string, password: string): Buffer => createHash(algorithm).update(password).digest();

function sameHex(hash: Buffer, stored: string): boolean | undefined {
  const text = stored.trim();
  return /^[0-9a-fA-F]+$/.test(text) && text.length === hash.length * 2
    ? sameSecret(hex(hash), text.toLowerCase())
    : undefined;
}

function sameBase64(hash: Buffer, stored: string): boolean | undefined {
  const bytes = base64(stored);
  return bytes?.length === hash.length ? sameSecret(hash, bytes) : undefined;
}

/** The hash, then the salt behind it; what is hashed is the password, then the salt. */
function salted(algorithm: string, password: string, stored: string): boolean | undefined {
  const bytes = base64(stored);
  const length = createHash(algorithm).digest().length;
  if (bytes === undefined || bytes.length <= length) return undefined;
  const made = createHash(algorithm).update(password).update(bytes.subarray(length)).digest();
  return sameSecret(made, bytes.subarray(0, length));
}

function base64(text: string): Buffer | undefined {
  const written = text.trim();
  return /^[A-Za-z0-9+/]+={0,2}$/.test(written) ? Buffer.from(written, 'base64') : undefined;
}
