import type { Segments } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { type BodyHold, type BodyTraits, isSigned, type Message, reencode, stripped } from '../message/index.ts';
import { type Extensions, type Reply, reply } from '../smtp/index.ts';
import { transform8bitmimeContent } from './options.ts';

/** What has to be done with a body before this peer can take it. */
export type Conversion = 'binary' | 'encode' | 'strict' | 'strip';

/** Longer messages are not converted: it is done in memory. */
const MOST_BYTES = 32 * 1024 * 1024;
const SLICE = 262_144;

export const NOT_CONVERTED: Reply = reply(
  554,
  '5.6.3',
  '[internal] message content cannot be converted for this server',
);

/** @returns undefined when the body goes as it is */
export function conversionFor(message: Message, { keywords }: Extensions, view: View): Conversion | undefined {
  // BDAT out is not used, so binary content is converted for every peer (RFC 3030 §3).
  const binary = message.envelope.requests?.body === 'BINARYMIME';
  if (!binary && message.traits.eightBit !== true) return undefined;
  if (keywords.has('8BITMIME') || message.traits.eightBit !== true) return binary ? 'binary' : undefined;
  const wanted = view.get(transform8bitmimeContent);
  if (wanted === 'no') return binary ? 'binary' : undefined;
  return binary ? 'strict' : wanted === 'ifneeded' ? 'encode' : wanted;
}

/**
 * Reads a body and makes of it what the peer can take.
 *
 * @returns the lease to send from, or why there is none; a promise only when the disk must be asked, which rejects like
 *   the lease itself
 */
export function converted(
  hold: BodyHold,
  conversion: Conversion,
  traits: BodyTraits,
): Made | Reply | Promise<Made | Reply> {
  if (hold.length > MOST_BYTES)
    return conversion === 'encode' || conversion === 'strip' ? { hold, traits, size: hold.length } : NOT_CONVERTED;
  const pieces: Uint8Array[] = [];
  for (let slice = hold.next(SLICE); slice !== undefined; slice = hold.next(SLICE)) {
    if (slice instanceof Promise)
      return readOn(hold, slice, pieces).then((whole) => made(hold, whole, conversion, traits));
    pieces.push(...slice);
  }
  return made(hold, Buffer.concat(pieces), conversion, traits);
}

export interface Made {
  readonly hold: BodyHold;
  readonly traits: BodyTraits;
  readonly size: number;
}

async function readOn(hold: BodyHold, first: Promise<Segments>, pieces: Uint8Array[]): Promise<Buffer> {
  pieces.push(...(await first));
  for (let slice = hold.next(SLICE); slice !== undefined; slice = hold.next(SLICE)) pieces.push(...(await slice));
  return Buffer.concat(pieces);
}

function made(hold: BodyHold, whole: Buffer, conversion: Conversion, traits: BodyTraits): Made | Reply {
  if (conversion === 'encode' && isSigned(whole)) return fromMemory(hold, whole, traits);
  if (conversion === 'strip') return fromMemory(hold, stripped(whole), { ...traits, dots: true });
  const { bytes, residue } = reencode(whole, conversion === 'binary' ? 'binary' : '8bit');
  if (residue && conversion !== 'encode') return NOT_CONVERTED;
  // A line that was made may begin with a dot; one that is left may end with a CR or LF alone.
  return fromMemory(hold, bytes, { ...traits, dots: true });
}

/** The lease goes on, so that the message stays what it is; its bytes are read no more. */
function fromMemory(hold: BodyHold, bytes: Buffer, traits: BodyTraits): Made {
  let at = 0;
  return {
    traits,
    size: bytes.length,
    hold: {
      length: bytes.length,
      traits,
      next(most) {
        if (at >= bytes.length) return undefined;
        const from = at;
        at = Math.min(at + most, bytes.length);
        return [bytes.subarray(from, at)];
      },
      rewind: () => void (at = 0),
      [Symbol.dispose]: () => hold[Symbol.dispose](),
    },
  };
}
