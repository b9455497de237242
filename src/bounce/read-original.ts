import type { Segments } from '../base/index.ts';
import { type BodyHold, findHeaderEnd, HeaderScanner } from '../message/index.ts';
import type { QuotedOriginal } from './dsn.ts';

/** A header longer than this is quoted up to here. */
const longestHeader = 64 * 1024;
/** A message longer than this is quoted by its header only, whatever bounces_inline_original says. */
const longestMessage = 256 * 1024;
const slice = 16 * 1024;

/**
 * What a DSN is to quote, read from the spool: no more than it needs.
 *
 * @throws SpoolError when the body is damaged or gone
 */
export async function readOriginal(hold: BodyHold, wanted: 'none' | 'headers' | 'all'): Promise<QuotedOriginal> {
  if (wanted === 'none') return { kind: 'none' };
  const whole = wanted === 'all' && hold.length <= longestMessage;
  const scanner = new HeaderScanner();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let read = hold.next(slice); read !== undefined; read = hold.next(slice)) {
    const segments: Segments = read instanceof Promise ? await read : read;
    for (const segment of segments) {
      pieces.push(segment);
      length += segment.length;
      scanner.feed(segment);
    }
    if (!whole && (scanner.length !== undefined || length >= longestHeader)) break;
  }
  // A copy: what is quoted must not depend on the lease.
  const bytes = Buffer.concat(pieces);
  if (whole) return { kind: 'all', bytes };
  return { kind: 'headers', bytes: bytes.subarray(0, findHeaderEnd(bytes)?.header ?? endOfLastLine(bytes)) };
}

/** A header that was cut is cut between two lines. */
function endOfLastLine(bytes: Buffer): number {
  if (bytes.length < longestHeader) return bytes.length;
  const lf = bytes.lastIndexOf('\n', longestHeader - 1);
  return lf === -1 ? longestHeader : lf + 1;
}
