import { isUtf8 } from 'node:buffer';
import { type Disk, type DiskError, Slices } from '../../world/index.ts';
import type { Place } from '../option.ts';

/** What reading needs of a disk: a writeback tries its result on one where some files are different. */
export type ReadableDisk = Pick<Disk, 'read' | 'list' | 'status' | 'writable'>;

export const MISSING = 'no such file or directory';

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', MISSING],
  ['ENOTDIR', MISSING],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a directory'],
]);

/** The system's code in words. */
export function diskReason(error: DiskError): string {
  return REASONS.get(error.code) ?? error.code;
}

/** The text of a file: what is not UTF-8 becomes U+FFFD, a byte order mark stays. */
export async function textOfBytes(bytes: Uint8Array, slices = new Slices(undefined)): Promise<string> {
  if (bytes.length <= PIECE) return decoded(bytes);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    pieces.push(decoder.decode(bytes.subarray(at, at + PIECE), { stream: true }));
    if (slices.due) await slices.pause();
  }
  return pieces.join('') + decoder.decode();
}

/** Big files in pieces: ten megabytes cost ten milliseconds. */
const PIECE = 4 * 1024 * 1024;

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** @returns one place for each line that is not UTF-8, at most 100 */
export function badLines(bytes: Uint8Array, file: string): readonly Place[] {
  if (isUtf8(bytes)) return [];
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places: Place[] = [];
  for (let from = 0, line = 1; from < all.length && places.length < 100; line++) {
    const end = all.indexOf(0x0a, from);
    const row = all.subarray(from, end === -1 ? all.length : end);
    if (!isUtf8(row)) places.push({ file, line, column: decoded(row).indexOf('\ufffd') + 1 });
    if (end === -1) break;
    from = end + 1;
  }
  return places;
}
