/**
 * The console's protocol, version 1. Every frame is a length (4 bytes, big endian, counting what follows), one byte for
 * its kind, and the payload. Client to server: a request, or a line to be completed. Server to client: one hello, then
 * for each request any number of output frames (an empty one only says that work goes on) and one end with an exit
 * code; a bye says why the server closes. Answers come in the order of the requests.
 *
 * A hello with `login` wants one first: the client chooses a mechanism (login: its name, then perhaps NUL and an initial
 * response), answers each challenge (respond), and is granted, with the server's proof, or denied, with words. A hello
 * with `prove` names a directory: a client that has made it says proved and is granted as the user whose it is, or
 * denied and goes on without a name.
 */
export const frameKinds = {
  request: 0x52,
  complete: 0x54,
  login: 0x4c,
  respond: 0x41,
  proved: 0x50,
  hello: 0x48,
  challenge: 0x43,
  granted: 0x47,
  denied: 0x44,
  output: 0x4f,
  end: 0x45,
  bye: 0x42,
} as const;

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

/** Bytes of payload in one frame, either way. */
export const maxPayload = 65_536;

export interface Frame {
  readonly kind: number;
  readonly payload: Buffer;
}

/** The peer does not speak this protocol, or says more in one frame than is allowed. */
export class FrameError extends Error {}

/** Collects bytes and gives frames. After a FrameError nothing more can be read. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #buffered = 0;

  receive(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** Bytes that are no frame yet, or that nobody has asked for. */
  get buffered(): number {
    return this.#buffered;
  }

  /** @throws FrameError for an empty frame or one above `maxPayload` */
  next(): Frame | undefined {
    if (this.#buffered < 4) return undefined;
    const length = this.#head(4).readUInt32BE(0);
    if (length === 0) throw new FrameError('a frame without a kind');
    if (length > maxPayload + 1)
      throw new FrameError(`a frame of ${length} bytes; at most ${maxPayload + 1} are allowed`);
    if (this.#buffered < 4 + length) return undefined;
    const whole = this.#head(4 + length);
    const rest = this.#chunks[0];
    if (rest !== undefined) this.#chunks[0] = rest.subarray(4 + length);
    if (this.#chunks[0]?.length === 0) this.#chunks.shift();
    this.#buffered -= 4 + length;
    return { kind: whole[4] ?? 0, payload: whole.subarray(5) };
  }

  /** The first bytes in one piece. They are joined at most twice a frame: once for its length, once whole. */
  #head(length: number): Buffer {
    let first = this.#chunks[0] ?? new Uint8Array(0);
    if (first.length < length) {
      // Byte by byte the list grows by one chunk a byte; it is joined only when enough is there.
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    return Buffer.from(first.buffer, first.byteOffset, length);
  }
}

/** @param payload at most `maxPayload` bytes */
export function frame(kind: FrameKind, payload: Uint8Array): Uint8Array[] {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(payload.length + 1, 0);
  head[4] = kind;
  return payload.length === 0 ? [head] : [head, payload];
}

export const textFrame = (kind: FrameKind, text: string): Uint8Array[] => frame(kind, Buffer.from(text, 'utf8'));

/** What the server says of itself, before anything is asked. */
export interface Hello {
  readonly protocol: number;
  readonly product: string;
  readonly version: string;
  readonly host: string;
  /** Mechanisms of which one must be gone through first, in the server's order. */
  readonly login?: readonly string[];
  /** The directory that shows which user of the system the client is. */
  readonly prove?: string;
}

export const protocolVersion = 1;

export const helloFrame = (hello: Hello): Uint8Array[] => textFrame(frameKinds.hello, JSON.stringify(hello));

/** @returns undefined when it is no hello */
export function readHello(payload: Buffer): Hello | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { protocol, product, version, host, login, prove } = value as Record<string, unknown>;
  if (
    typeof protocol !== 'number' ||
    typeof product !== 'string' ||
    typeof version !== 'string' ||
    typeof host !== 'string'
  )
    return undefined;
  return {
    protocol,
    product,
    version,
    host,
    ...(Array.isArray(login) ? { login: login.filter((each) => typeof each === 'string') } : {}),
    ...(typeof prove === 'string' ? { prove } : {}),
  };
}
