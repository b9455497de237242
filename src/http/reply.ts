import { gzipSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../world/index.ts';
import { type Answer, errorEnvelope } from './answer.ts';

/** Smaller answers are not worth the time, larger ones would keep everybody else waiting for it. */
const LEAST_ZIPPED = 1024;
const MOST_ZIPPED = 4 * 1024 * 1024;
const ZIP_LEVEL = 3;
/** Pieces are gathered to chunks of this size, and others get their turn between two of them. */
const CHUNK = 16_384;

export interface ReplyTerms {
  readonly clock: Clock;
  /** `Disable_Chunked`, or a client of HTTP/1.0. */
  readonly chunked: boolean;
  readonly date: string;
  readonly close: boolean;
}

/** Sends an answer. @returns bytes of its body, as they are sent */
export async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  terms: ReplyTerms,
): Promise<number> {
  reply.raw.sendDate = false;
  reply.code(answer.status);
  reply.header('date', terms.date).header('x-content-type-options', 'nosniff');
  // What somebody may see today he may not see tomorrow.
  reply.header('cache-control', 'no-store');
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (terms.close) reply.header('connection', 'close');
  switch (answer.kind) {
    case 'empty':
      reply.send();
      return 0;
    case 'json':
      return sendText(request, reply, JSON.stringify(answer.body), JSON_TYPE);
    case 'refusal':
      return sendText(request, reply, errorEnvelope(answer), JSON_TYPE);
    case 'text':
      return sendText(request, reply, answer.text, answer.type);
    case 'pieces':
      if (!terms.chunked || request.method === 'HEAD')
        return sendText(request, reply, await gathered(answer.pieces, terms.clock), answer.type);
      return sendPieces(reply, answer.pieces, answer.type, terms.clock);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

function sendText(request: FastifyRequest, reply: FastifyReply, text: string, type: string): number {
  let bytes: Buffer = Buffer.from(text, 'utf8');
  reply.header('content-type', type);
  if (bytes.length >= LEAST_ZIPPED && bytes.length <= MOST_ZIPPED) {
    reply.header('vary', 'Accept-Encoding');
    if (takesGzip(request.headers['accept-encoding'])) {
      bytes = gzipSync(bytes, { level: ZIP_LEVEL });
      reply.header('content-encoding', 'gzip');
    }
  }
  reply.header('content-length', bytes.length);
  reply.send(bytes);
  return request.method === 'HEAD' ? 0 : bytes.length;
}

/** RFC 9110 12.5.3; weights matter only where they are zero. */
export function takesGzip(field: string | readonly string[] | undefined): boolean {
  const offers = String(field ?? '')
    .toLowerCase()
    .split(',')
    .map((offer) => offer.split(';').map((part) => part.trim()));
  const offered = offers.find(([coding]) => coding === 'gzip') ?? offers.find(([coding]) => coding === '*');
  return offered !== undefined && !offered.some((part) => /^q\s*=\s*0(?:\.0*)?$/.test(part));
}

type Pieces = Iterable<string> | AsyncIterable<string>;

async function gathered(pieces: Pieces, clock: Clock): Promise<string> {
  let text = '';
  for await (const chunk of chunks(pieces, clock)) text += chunk;
  return text;
}

/** Node frames it; a client that does not read holds it up, and one that has gone ends it. */
async function sendPieces(reply: FastifyReply, pieces: Pieces, type: string, clock: Clock): Promise<number> {
  reply.header('content-type', type).hijack();
  const { raw } = reply;
  raw.statusCode = reply.statusCode;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  let sent = 0;
  for await (const chunk of chunks(pieces, clock)) {
    if (raw.destroyed) return sent;
    sent += Buffer.byteLength(chunk);
    if (!raw.write(chunk)) await drained(raw);
  }
  raw.end();
  return sent;
}

async function* chunks(pieces: Pieces, clock: Clock): AsyncGenerator<string> {
  let text = '';
  let count = 0;
  for await (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK && ++count % PIECES_PER_TURN !== 0) continue;
    if (text !== '') yield text;
    text = '';
    await new Promise<void>((resolve) => clock.defer(resolve));
  }
  if (text !== '') yield text;
}

/** A scan over a million queues must not hold up the mail. */
const PIECES_PER_TURN = 500;

function drained(raw: FastifyReply['raw']): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      raw.off('drain', done);
      raw.off('close', done);
      resolve();
    };
    raw.on('drain', done);
    raw.on('close', done);
  });
}
