import { crc32, inflateRawSync } from 'node:zlib';
import { DEFLATED, END } from './frames.ts';
import { Malformed } from './payloads.ts';

/** A frame may become so many times as long when it is inflated. Text does not compress better than that. */
const MOST_INFLATION = 16;

/** A deflated part would become too long. */
export class TooMuchInflated extends Error {}

/** The body of one message as it was, out of the parts that frames bring. */
export class BodyDecoder {
  readonly #crcOn: boolean;
  readonly #deflateOn: boolean;
  #crc = 0;
  /** The sum in the END frame was another one. */
  damaged = false;

  constructor(crcOn: boolean, deflateOn: boolean) {
    this.#crcOn = crcOn;
    this.#deflateOn = deflateOn;
  }

  begin(): void {
    this.#crc = 0;
    this.damaged = false;
  }

  /** @param flags of the frame @returns a view where nothing is deflated @throws Malformed, TooMuchInflated */
  part(bytes: Buffer, flags: number, maxFrame: number): Buffer {
    let body = bytes;
    let sum: number | undefined;
    if (this.#crcOn && (flags & END) !== 0) {
      if (bytes.length < 4) throw new Malformed('an END frame without the sum of its body');
      sum = bytes.readUInt32BE(bytes.length - 4);
      body = bytes.subarray(0, bytes.length - 4);
    }
    if ((flags & DEFLATED) !== 0) body = this.#inflated(body, maxFrame);
    if (!this.#crcOn) return body;
    this.#crc = crc32(body, this.#crc);
    if (sum !== undefined && sum !== this.#crc) this.damaged = true;
    return body;
  }

  #inflated(bytes: Buffer, maxFrame: number): Buffer {
    if (!this.#deflateOn) throw new Malformed('DEFLATE was not agreed upon');
    try {
      return inflateRawSync(bytes, { maxOutputLength: MOST_INFLATION * maxFrame });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new TooMuchInflated('a deflated part is too long');
      throw new Malformed('a part that is not deflated as it says');
    }
  }
}
