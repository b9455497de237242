import { ValueError } from '../config/index.ts';
import type { MechanismName } from './mechanism.ts';

/** Where credentials or groups are kept. */
export type StoreAddress =
  | { readonly scheme: FileScheme; readonly path: string }
  /** `apikey://`: the keys of HTTP, as passwords of those who send mail. */
  | { readonly scheme: 'apikey' }
  /** `ecauth://`: a scheme of auth_ds or of a script; `uri` is all of it. */
  | { readonly scheme: 'named'; readonly name: string; readonly uri: string };

export type FileScheme = 'file' | 'digest' | 'scram' | 'groups';

const FILES: readonly string[] = ['file', 'digest', 'scram', 'groups'] satisfies readonly FileScheme[];

/**
 * @param text  `digest:///etc/impetus/console_passwd`
 * @throws ValueError in words for the operator
 */
export function readStoreAddress(text: string): StoreAddress {
  const [, word = '', path = ''] = /^([A-Za-z][A-Za-z0-9_+.-]{0,63}):\/\/(.*)$/s.exec(text) ?? [];
  const scheme = word.toLowerCase();
  if (scheme === '') throw new ValueError(`a uri as digest:///path; '${text}' is none`);
  if (scheme === 'apikey') {
    if (path !== '') throw new ValueError(`nothing behind apikey://; '${path}' is too much`);
    return { scheme };
  }
  if (!FILES.includes(scheme)) return { scheme: 'named', name: word, uri: text };
  if (!path.startsWith('/') || path.includes('\0'))
    throw new ValueError(`an absolute path behind ${scheme}://; '${path}' is none`);
  return { scheme: scheme as FileScheme, path };
}

export function storeText(address: StoreAddress): string {
  if (address.scheme === 'named') return address.uri;
  return `${address.scheme}://${address.scheme === 'apikey' ? '' : address.path}`;
}

/** Which stores each mechanism can work with (spec/listeners-and-console 11). Of an API key only its hash is kept. */
export const SERVES: Readonly<Record<MechanismName, readonly (FileScheme | 'apikey')[]>> = {
  LOGIN: ['file', 'digest', 'scram', 'apikey'],
  PLAIN: ['file', 'digest', 'scram', 'apikey'],
  'CRAM-MD5': ['file'],
  'DIGEST-MD5': ['digest', 'file'],
  'SCRAM-SHA-256': ['scram', 'file'],
};
