import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Whether two secrets are the same, in a time that tells neither where they differ nor how long the right one is: what
 * is compared are hashes of them.
 */
export function sameSecret(one: string | Uint8Array, other: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

export const sha256 = (bytes: string | Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export const hmacSha256 = (key: string | Uint8Array, bytes: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(bytes).digest();

export const md5 = (bytes: string | Uint8Array): Buffer => createHash('md5').update(bytes).digest();

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** @returns undefined when the text is not base64 in its one canonical form */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** @returns undefined for bytes that are no UTF-8, or have a NUL, which no name and no password has */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
