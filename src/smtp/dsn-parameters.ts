import { decodeXtext } from './xtext.ts';

/** RFC 3461 §4.4 and §4.2: octets of ENVID and of ORCPT. */
const MOST_ENVID = 100;
const MOST_ORCPT = 500;

export type Notify = readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[];

/** It goes into a header field one day: a line end in it would make two of one (`+0D+0A`). */
const isClean = (text: string | undefined): boolean => text !== undefined && !/[\0-\x1f\x7f]/.test(text);

export const isEnvid = (value: string): boolean =>
  value.length <= MOST_ENVID && value !== '' && isClean(decodeXtext(value));

export const isRet = (value: string): boolean => /^(?:FULL|HDRS)$/i.test(value);

/** @returns undefined when NOTIFY has no such value; NEVER stands alone, and nothing stands twice */
export function readNotify(value: string): Notify | undefined {
  const words = value.toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return [];
  if (new Set(words).size < words.length) return undefined;
  const known = words.filter((word) => word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY');
  return known.length === words.length ? known : undefined;
}

/** @param utf8  SMTPUTF8 is in force: an address of the type `utf-8` may stand as it is (RFC 6533 §3) */
export function isOrcpt(value: string, utf8: boolean): boolean {
  const semicolon = value.indexOf(';');
  if (value.length > MOST_ORCPT || !/^[a-z0-9-]+$/i.test(value.slice(0, semicolon))) return false;
  const address = value.slice(semicolon + 1);
  if (address === '') return false;
  const unicode = value.slice(0, semicolon).toLowerCase() === 'utf-8';
  // `\x{…}` of RFC 6533 is plain text for xtext; what may not stand in it are line ends, in either spelling.
  if (unicode && /\\x\{0*(?:[0-9a-f]|1[0-9a-f]|7f)\}/i.test(address)) return false;
  return isClean(decodeXtext(utf8 && unicode ? address.replace(/[\x80-\xff]/g, '?') : address));
}
