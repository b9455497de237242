import { isUtf8 } from 'node:buffer';
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { type Refusal, RefusedRequest, refusal } from './answer.ts';
import type { IncomingMessage, ServerResponse } from './node-http.ts';

/** Objects and arrays in each other: far more than any request of ours needs, far less than our own walks could bear. */
export const DEEPEST = 100;

/**
 * The body of a request as a JSON value.
 *
 * @param most bytes that it may have, also once it is inflated
 * @returns undefined when it is empty, whatever its Content-Type says
 * @throws RefusedRequest 413, 415, 400, 422
 */
export async function readJson(request: IncomingMessage, response: ServerResponse, most: number): Promise<unknown> {
  const type = mediaType(request.headers['content-type']);
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const sent = await readBody(request, response, most);
  if (sent.length === 0) return undefined;
  if (type !== undefined && type !== 'application/json' && !type.endsWith('+json'))
    throw new RefusedRequest(refusal('1700', `the body must be application/json, and not ${printable(type)}`));
  return parseJson(inflated(sent, coding, most));
}

function mediaType(field: string | undefined): string | undefined {
  return field?.split(';', 1)[0]?.trim().toLowerCase();
}

export const tooLarge = (most: number): Refusal =>
  refusal('1300', `the request is larger than ${most} bytes`, { status: 413, message: 'request is too large' });

/** Counts while it reads, and looks at Content-Length before it reads at all. */
async function readBody(request: IncomingMessage, response: ServerResponse, most: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > most) throw new RefusedRequest(tooLarge(most));
  if (/^\s*100-continue\s*$/i.test(request.headers.expect ?? '')) response.writeContinue();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const read = Promise.withResolvers<void>();
  request.on('data', (chunk: Uint8Array) => {
    length += chunk.length;
    if (length <= most) return void chunks.push(chunk);
    chunks.length = 0;
    request.pause();
    read.reject(new RefusedRequest(tooLarge(most)));
  });
  request.once('end', () => read.resolve());
  request.once('close', () => read.reject(new RefusedRequest(CUT_OFF)));
  request.once('error', () => read.reject(new RefusedRequest(CUT_OFF)));
  await read.promise;
  return Buffer.concat(chunks, length);
}

/** Nobody reads it: the client has gone. */
const CUT_OFF = refusal('1200', 'the body ended before it was complete');

/** Synchronous, like parsing what comes out: only clients that have shown who they are get here. */
function inflated(sent: Buffer, coding: string, most: number): Buffer {
  try {
    switch (coding) {
      case 'identity':
      case '':
        return sent;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(sent, { maxOutputLength: most });
      case 'deflate':
        // RFC 9110 8.4.1.2 wants the zlib wrapping, which some clients leave out.
        return isZlib(sent)
          ? inflateSync(sent, { maxOutputLength: most })
          : inflateRawSync(sent, { maxOutputLength: most });
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RefusedRequest(
      code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(most) : refusal('1200', `the body is not ${coding}`),
    );
  }
  throw new RefusedRequest(
    refusal('1700', `Content-Encoding ${printable(coding)} is not understood: gzip, deflate or none`, {
      headers: { 'accept-encoding': 'gzip, deflate' },
    }),
  );
}

const isZlib = (bytes: Buffer): boolean =>
  ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;

/** @throws RefusedRequest */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new RefusedRequest(refusal('1305', 'the body is not UTF-8'));
  if (tooDeep(bytes))
    throw new RefusedRequest(refusal('1300', `the body has more than ${DEEPEST} objects and arrays in each other`));
  const bare = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  try {
    const value: unknown = JSON.parse(bare.toString('utf8'));
    return value;
  } catch (error) {
    throw new RefusedRequest(refusal('1300', `the body is not JSON: ${reasonOf(error)}`));
  }
}

/** Before anything is made of it: a parser that is fed brackets alone makes an object for each byte. */
function tooDeep(bytes: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > DEEPEST) return true;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
    }
  }
  return false;
}

function endOfString(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (bytes[at - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return bytes.length;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Node's words with the place, without the text around it, which may be anything. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(text)?.[0];
  return place === undefined ? 'it is cut off, or has something behind its end' : `it goes wrong ${place}`;
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
