import { isUtf8 } from 'node:buffer';
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { type Clock, Slices } from '../world/index.ts';
import { type Refusal, RefusedRequest, refusal } from './answer.ts';
import type { BodyShare } from './body-room.ts';
import { JsonShape } from './json-shape.ts';
import type { IncomingMessage, ServerResponse } from './node-http.ts';

export interface BodyTerms {
  /** Bytes that it may have, also once it is inflated. */
  readonly most: number;
  /** Of the memory for all bodies. */
  readonly share: BodyShare;
  readonly clock: Pick<Clock, 'now' | 'defer'>;
}

/**
 * The body of a request as a JSON value.
 *
 * @returns undefined when it is empty, whatever its Content-Type says
 * @throws RefusedRequest 413, 415, 400, 422, 503
 */
export async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  { most, share, clock }: BodyTerms,
): Promise<unknown> {
  const type = mediaType(request.headers['content-type']);
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const sent = await readBody(request, response, most, share);
  if (sent.length === 0) return undefined;
  if (type !== undefined && type !== 'application/json' && !type.endsWith('+json'))
    throw new RefusedRequest(refusal('1700', `the body must be application/json, and not ${printable(type)}`));
  const text = inflated(sent, coding, most);
  share.hold(text.length);
  return parseJson(text, new Slices(clock));
}

function mediaType(field: string | undefined): string | undefined {
  return field?.split(';', 1)[0]?.trim().toLowerCase();
}

export const tooLarge = (most: number): Refusal =>
  refusal('1300', `the request is larger than ${most} bytes`, { status: 413, message: 'request is too large' });

/** Counts while it reads, and looks at Content-Length before it reads at all. */
async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  most: number,
  share: BodyShare,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > most) throw new RefusedRequest(tooLarge(most));
  share.hold(declared);
  if (/^\s*100-continue\s*$/i.test(request.headers.expect ?? '')) response.writeContinue();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const read = Promise.withResolvers<void>();
  request.on('data', (chunk: Uint8Array) => {
    length += chunk.length;
    try {
      if (length > most) throw new RefusedRequest(tooLarge(most));
      share.hold(length);
      chunks.push(chunk);
    } catch (error) {
      chunks.length = 0;
      request.pause();
      read.reject(error);
    }
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
export async function parseJson(bytes: Buffer, slices: Slices): Promise<unknown> {
  if (!isUtf8(bytes)) throw new RefusedRequest(refusal('1305', 'the body is not UTF-8'));
  const shape = new JsonShape(bytes);
  while (shape.step()) if (slices.due) await slices.pause();
  if (shape.trouble !== undefined) throw new RefusedRequest(refusal('1300', `the body has ${shape.trouble}`));
  const bare = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  try {
    const value: unknown = JSON.parse(bare.toString('utf8'));
    return value;
  } catch (error) {
    throw new RefusedRequest(refusal('1300', `the body is not JSON: ${reasonOf(error)}`));
  }
}

/** Node's words with the place, without the text around it, which may be anything. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(text)?.[0];
  return place === undefined ? 'it is cut off, or has something behind its end' : `it goes wrong ${place}`;
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
