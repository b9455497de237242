import { crc32 } from 'node:zlib';
import { FrameError, FrameReader, frame, frameKinds, maxPayload } from '../../../src/console/frames.ts';
import { countReceived, fieldValue, findField, findHeaderEnd, HeaderScanner } from '../../../src/message/index.ts';
import { LineEndFixer } from '../../../src/reception/content/line-ends.ts';
import {
  DONE,
  HEAD_BYTES,
  headIsWhole,
  headTotal,
  OPEN,
  RECEPTION,
  readDone,
  readHead,
  readReception,
  recordMark,
  STATE,
  saltAt,
  writeHead,
} from '../../../src/spool/record.ts';
import { scan } from '../../../src/spool/scan.ts';
import { decodeReply, encodeQuery } from '../../../src/world/resolver/codec.ts';
import { dnsName } from '../../../src/world/resolver/dns-name.ts';
import { readAnswer } from '../../../src/world/resolver/read-answer.ts';
import type { Dice } from '../../sim/dice.ts';
import { type Cut, type FuzzTarget, latin, sameWhateverTheCut } from '../target.ts';

function readFrames(input: Buffer, cut: Cut): string {
  const reader = new FrameReader();
  let read = '';
  try {
    for (const part of cut(input)) {
      reader.receive(Buffer.from(part));
      for (let each = reader.next(); each !== undefined; each = reader.next()) {
        if (each.payload.length > maxPayload) throw new Error(`a payload of ${each.payload.length} bytes`);
        read += `${each.kind} ${each.payload.toString('latin1')}\n`;
      }
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return `${read}${error.message}`;
  }
  return `${read}${reader.buffered}`;
}

export const frames: FuzzTarget = {
  name: 'control-frames',
  about: "the console's frames: the same whatever the cut, no payload beyond the limit",
  words: ['\0\0\0\x01', '\0\0\0\0', '\xff\xff\xff\xff', '\0\x01\0\x01', '\0\x01\0\x02', 'R', 'T', 'H', 'O', 'E', 'B'],
  generate(dice) {
    const parts: Uint8Array[] = [];
    for (let count = dice.between(1, 5); count > 0; count--)
      parts.push(
        ...frame(
          dice.of(Object.values(frameKinds)),
          Buffer.alloc(dice.happens(0.1) ? maxPayload + dice.between(-2, 2) : dice.scale(1, 5000), 'x'),
        ),
      );
    return Buffer.concat(parts);
  },
  check: (input) => sameWhateverTheCut(input, (cut) => readFrames(input, cut)),
};

function readHeader(input: Buffer, cut: Cut): string {
  const scanner = new HeaderScanner();
  const fixer = new LineEndFixer({ header: true, body: true });
  const fixed: Uint8Array[] = [];
  for (const part of cut(input)) {
    scanner.feed(part);
    fixed.push(...fixer.fix(part));
  }
  fixed.push(...fixer.finish());
  const text = Buffer.concat(fixed).toString('latin1');
  if (text !== input.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'))
    throw new Error('line ends are not as they should be');
  return `${scanner.length} ${fixer.changed}`;
}

export const headers: FuzzTarget = {
  name: 'headers',
  about: 'header fields: the end is found whatever the cut, spans lie within the bytes, line ends are mended',
  words: [
    'Received: x\r\n',
    'Subject: x\r\n',
    '\r\n\r\n',
    '\n\n',
    '\r\r',
    ' folded\r\n',
    '\t',
    ':',
    'received :',
    '\0',
  ],
  generate(dice) {
    let text = '';
    for (let count = dice.between(0, 8); count > 0; count--)
      text += `${dice.of(['Received: a', 'Subject: b', 'X: c\r\n d', 'No colon', ':'])}${dice.weighted({ '\r\n': 8, '\n': 1, '\r': 1 })}`;
    return latin(`${text}\r\nbody\r\n`);
  },
  check(input) {
    const end = findHeaderEnd(input);
    const scanner = new HeaderScanner();
    scanner.feed(input);
    if (scanner.length !== end?.body) return `the end is at ${end?.body}, fed at ${scanner.length}`;
    for (const name of ['received', 'subject']) {
      const span = findField(input, name);
      if (span === undefined) continue;
      if (!(span.start < span.value && span.value <= span.end && span.end <= input.length)) return JSON.stringify(span);
      fieldValue(input, span);
    }
    if (countReceived(input) * 'received:'.length > input.length) return 'more fields than bytes';
    return sameWhateverTheCut(input, (cut) => readHeader(input, cut));
  },
};

const QUERY = encodeQuery(7, 'example.org', 'MX', false);
const NAME = 'example.org';

export const dns: FuzzTarget = {
  name: 'dns',
  about: 'answers of name servers: read or refused, names that logs can show',
  words: [
    '\xc0\x0c',
    '\xc0\0',
    '\x07example\x03org\0',
    '\0\x0f\0\x01',
    '\0\x05\0\x01',
    '\0\x10\0\x01',
    '\xff\xff',
    '\0\0\0\x3c',
  ],
  generate(dice) {
    const head = Buffer.from(QUERY);
    head.writeUInt16BE(dice.of([0x8180, 0x8580, 0x8183, 0x8182, 0x8380]), 2);
    const records: Buffer[] = [];
    for (let count = dice.between(0, 4); count > 0; count--) {
      const type = dice.of([1, 5, 15, 16, 28, 2, 6]);
      const data =
        type === 1
          ? latin('\x01\x02\x03\x04')
          : type === 28
            ? Buffer.alloc(16, 1)
            : type === 16
              ? latin('\x03abc')
              : latin('\0\x0a\x02mx\xc0\x0c');
      const front = Buffer.alloc(12);
      front.writeUInt16BE(0xc00c, 0);
      front.writeUInt16BE(type, 2);
      front.writeUInt16BE(1, 4);
      front.writeUInt32BE(dice.scale(1, 2 ** 32 - 1), 6);
      front.writeUInt16BE(data.length, 10);
      records.push(front, data);
    }
    head.writeUInt16BE(records.length >> 1, 6);
    return Buffer.concat([head, ...records]);
  },
  check(input) {
    const text = input.toString('latin1').slice(0, 300);
    const name = dnsName(text);
    if (name !== undefined && (name.length > 253 || name !== name.toLowerCase()))
      return `a name ${JSON.stringify(name)}`;
    const reply = decodeReply(input);
    if (reply === undefined) return undefined;
    for (const { owner, ttl, record } of reply.answers) {
      const names = [owner, 'host' in record ? record.host : '', 'name' in record ? record.name : ''];
      if (names.some((each) => /[^!-~]/.test(each))) return `a name ${JSON.stringify(names)}`;
      if (!(ttl >= 0 && ttl <= 0x7fff_ffff)) return `a TTL of ${ttl}`;
    }
    for (const type of ['A', 'AAAA', 'MX', 'TXT'] as const) {
      const reading = readAnswer(reply, NAME, type);
      if (reading.kind === 'found' && reading.records.length === 0) return 'found, and nothing there';
    }
    return undefined;
  },
};

const SALT = latin('saltsalt');
const MARK = recordMark(SALT);

function segment(dice: Dice): Buffer {
  const parts: Buffer[] = [];
  for (let count = dice.between(1, 5); count > 0; count--) {
    const meta = latin('x'.repeat(dice.between(0, 40)));
    const body = latin('y'.repeat(dice.scale(1, 300)));
    const bytes = Buffer.concat([Buffer.alloc(HEAD_BYTES), meta, body]);
    writeHead(bytes, 0, MARK, {
      type: parts.length === 0 ? OPEN : dice.of([RECEPTION, STATE, DONE]),
      flags: dice.between(0, 15),
      origin: 1,
      ordinal: parts.length,
      metaLength: meta.length,
      bodyLength: body.length,
      bodyCrc: crc32(body),
    });
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Where whole records stand, found step by step. */
function recordsIn(input: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at + HEAD_BYTES <= input.length; ) {
    const head = readHead(input, at, MARK);
    const total = head === undefined ? 0 : headTotal(head);
    if (head === undefined || at + total > input.length || !headIsWhole(input, at, head)) {
      at++;
      continue;
    }
    if (crc32(input.subarray(at + HEAD_BYTES + head.metaLength, at + total)) === head.bodyCrc) found.push(at);
    at += total;
  }
  return found;
}

async function scanned(input: Buffer): Promise<string | undefined> {
  const source = {
    path: 'fuzz',
    read: async (at: number, length: number) => Uint8Array.from(input.subarray(at, at + length)),
  };
  let covered = 0;
  const offsets: number[] = [];
  const stretches: { from: number; to: number }[] = [];
  for await (const window of scan(source as Parameters<typeof scan>[0], input.length, MARK, 'read')) {
    for (const { offset, head, meta } of window.records) {
      stretches.push({ from: offset, to: offset + HEAD_BYTES + head.metaLength + head.bodyLength });
      offsets.push(offset);
      readReception(meta, head.flags);
      readDone(meta, head);
    }
    stretches.push(...window.broken);
  }
  if (String(offsets) !== String(recordsIn(input))) return `records at ${offsets}, and not at ${recordsIn(input)}`;
  stretches.sort((one, other) => one.from - other.from);
  for (const { from, to } of stretches) {
    if (from !== covered || to <= from) return `bytes ${covered} to ${from} are neither record nor damage`;
    covered = to;
  }
  return covered === input.length ? undefined : `bytes from ${covered} on are neither record nor damage`;
}

export const spool: FuzzTarget = {
  name: 'spool-records',
  about: 'segments of the spool: each byte belongs to a whole record or is told as damage',
  words: [MARK.toString('latin1'), '\0\0\0\0', '\xff\xff\xff\xff', '\x02', '\x04'],
  generate: segment,
  check(input) {
    if (input.length >= HEAD_BYTES) saltAt(input, 0);
    for (const flags of [0, 4, 8, 12]) readReception(input.subarray(0, 200), flags);
    return scanned(input);
  },
};
