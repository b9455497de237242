import { isAscii } from 'node:buffer';
import type { Reply } from './reply.ts';
import { type CommandState, serverReplies } from './server-table.ts';

/** BDAT's argument (RFC 3030 §2). */
export interface ChunkSize {
  readonly octets: number;
  readonly last: boolean;
}

/** @returns undefined when it is none: then nobody knows where the next command begins */
export function readChunkSize(text: string): ChunkSize | undefined {
  const [, octets, last] = /^([0-9]{1,15})(?: +(LAST))? *$/i.exec(text) ?? [];
  return octets === undefined ? undefined : { octets: Number(octets), last: last !== undefined };
}

/** A chunk whose octets are on their way. */
export interface Chunk {
  left: number;
  readonly size: ChunkSize;
  /** It was refused: its octets are read all the same, and then it is answered so. */
  readonly refusal: Reply | undefined;
  /** The state that a refusal leads back to. */
  readonly back: CommandState;
}

/** Why there can be no chunk in that state; undefined where there can. */
export function misplacedChunk(state: CommandState): Reply | undefined {
  if (state === 'rcpt' || state === 'chunks') return undefined;
  return state === 'mail' ? serverReplies.chunkUnaddressed : serverReplies.chunkFirst;
}

/** The chunks of a message: nothing but the count ends one, refused ones are read as well (RFC 3030 §2). */
export class Chunks {
  #body: ChunkedBody | undefined;
  #chunk: Chunk | undefined;

  /** Octets are to be read. */
  get open(): boolean {
    return this.#chunk !== undefined;
  }

  /** Those octets go nowhere. */
  get refused(): boolean {
    return this.#chunk?.refusal !== undefined;
  }

  begin(size: ChunkSize, refusal: Reply | undefined, back: CommandState): void {
    this.#chunk = { left: size.octets, size, refusal, back };
    if (refusal === undefined) this.#body ??= new ChunkedBody();
  }

  /** @returns what of the bytes from there on belongs to the chunk */
  take(held: Buffer, at: number): Buffer {
    const chunk = this.#chunk;
    const octets = held.subarray(at, Math.min(held.length, at + (chunk?.left ?? 0)));
    if (chunk === undefined) return octets;
    chunk.left -= octets.length;
    if (chunk.refusal === undefined) this.#body?.see(octets);
    return octets;
  }

  /** @returns the chunk when all of it has been read */
  close(): Chunk | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined || chunk.left > 0) return undefined;
    this.#chunk = undefined;
    return chunk;
  }

  /** The last chunk has been read. @returns undefined when the body came by DATA */
  end(): ChunkedBody | undefined {
    const body = this.#body;
    this.#body = undefined;
    body?.end();
    return body;
  }

  /** The transaction is over. */
  forget(): void {
    this.#body = undefined;
    this.#chunk = undefined;
  }
}

/**
 * Looks at a body that comes in chunks, for what the framing of DATA finds by the way. Nothing in it ends it: a dot on
 * a line of its own is content.
 */
export class ChunkedBody {
  /** Bytes so far. */
  length = 0;
  /** Some line begins with a dot. */
  dots = false;
  /** A CR without LF, or a LF without CR. */
  lone = false;
  eightBit = false;
  #last = LF;
  #begun = false;

  see(view: Uint8Array): void {
    if (view.length === 0) return;
    this.length += view.length;
    if (!this.eightBit && !isAscii(view)) this.eightBit = true;
    if (this.lone && this.dots) return;
    // Enough of what came before to tell what stands at the seam; a body begins as if a line had ended.
    const before = this.#begun ? String.fromCharCode(this.#last) : '\r\n';
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
    const text = before + bytes.toString('latin1');
    this.#begun = true;
    this.#last = bytes[bytes.length - 1] ?? LF;
    if (text.includes('\n.')) this.dots = true;
    // A CR at the end waits for its LF; a LF that was looked at before is not looked at again.
    if (!this.lone) this.lone = LONE.test(before === '\n' ? text.slice(1) : text);
  }

  /** All of it has come. */
  end(): void {
    if (this.#begun && this.#last === CR) this.lone = true;
  }
}

const LF = 10;
const CR = 13;
/** A CR before something else than LF, or a LF behind something else than CR. */
const LONE = /\r[^\n]|(?:^|[^\r])\n/;
