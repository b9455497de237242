import { Buffer, isUtf8 } from 'node:buffer';
import { parseDomain } from './domain.ts';
import type { Domain } from './units.ts';

/*
 * Bytes of a peer stand as Latin-1 characters in paths and lines, so that nothing is lost or changed on the way. UTF-8
 * (RFC 6531) is decoded only where somebody has to understand it.
 */

const BEYOND_ASCII = /[^\0-\x7f]/;

/** Whether any byte is above 127. */
export const isBeyondAscii = (text: string): boolean => BEYOND_ASCII.test(text);

/** @returns the characters that UTF-8 bytes stand for; text that is no such bytes as it is */
export function fromUtf8Bytes(text: string): string {
  if (!BEYOND_ASCII.test(text) || /[^\0-\xff]/.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : text;
}

/** @returns whether the bytes are well-formed UTF-8 */
export const isUtf8Bytes = (text: string): boolean => !BEYOND_ASCII.test(text) || isUtf8(Buffer.from(text, 'latin1'));

/** The domain of a path whose bytes stand as Latin-1 characters, U-labels as A-labels; undefined when it is none. */
export const domainOfPath = (path: string): Domain | undefined =>
  parseDomain(fromUtf8Bytes(path.slice(path.lastIndexOf('@') + 1)));

/** @returns the path with its domain in A-labels, undefined when that is not enough to make it ASCII */
export function inAscii(path: string): string | undefined {
  if (!BEYOND_ASCII.test(path)) return path;
  const at = path.lastIndexOf('@');
  const local = path.slice(0, at + 1);
  const domain = domainOfPath(path);
  return domain === undefined || at === -1 || BEYOND_ASCII.test(local) ? undefined : local + domain;
}
