import type { Answer } from 'dns-packet';
import packet from 'dns-packet';
import { parseAddress } from '../../base/index.ts';
import type { DnsRecord, RecordType } from '../world.ts';
import { receivedName } from './dns-name.ts';

/** The largest answer we ask for by UDP: what passes without fragments (DNS flag day 2020). */
export const UDP_PAYLOAD = 1232;

export interface Resource {
  /** Lower case, without the trailing dot. */
  readonly owner: string;
  readonly ttl: number;
  readonly record: DnsRecord;
}

/** An answer, as far as we use it. */
export interface Reply {
  readonly id: number;
  readonly rcode: string;
  readonly truncated: boolean;
  /** The server vouches for it: the AD flag. */
  readonly authentic: boolean;
  readonly authoritative: boolean;
  readonly recursive: boolean;
  /** As it came: the case of its letters matters. Undefined when the server left it out. */
  readonly question: { readonly name: string; readonly type: string } | undefined;
  readonly answers: readonly Resource[];
  /** For how many seconds the lack of something may be remembered: RFC 2308 §5. Undefined without an SOA record. */
  readonly negativeTtl: number | undefined;
  /** It names other servers instead of an answer. */
  readonly referral: boolean;
}

/**
 * @param name as it is to be sent
 * @param edns whether to say that we take more than 512 bytes; some old servers refuse a query that does
 */
export function encodeQuery(id: number, name: string, type: RecordType, edns: boolean): Buffer {
  return packet.encode({
    type: 'query',
    id,
    // AD in a query asks for AD in the answer: RFC 6840 §5.7.
    flags: packet.RECURSION_DESIRED | packet.AUTHENTIC_DATA,
    questions: [{ name, type }],
    additionals: edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_PAYLOAD,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
}

/** @returns undefined when the bytes are no answer of the DNS */
export function decodeReply(bytes: Uint8Array): Reply | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < HEADER || (buffer.readUInt16BE(2) & (RESPONSE | OPCODE)) !== RESPONSE) return undefined;
  // What a server cut off may end inside a record; its beginning is enough to know that TCP is needed.
  const truncated = (buffer.readUInt16BE(2) & TRUNCATED) !== 0;
  const whole = decoded(buffer) ?? (truncated ? decodedQuestion(buffer) : undefined);
  if (!whole) return undefined;
  const answers: Resource[] = [];
  for (const each of whole.answers ?? []) {
    const record = dnsRecord(each);
    if (record && 'ttl' in each) answers.push({ owner: receivedName(each.name), ttl: sane(each.ttl), record });
  }
  const authorities = whole.authorities ?? [];
  const soa = authorities.find((each) => each.type === 'SOA');
  const question = whole.questions?.[0];
  return {
    id: buffer.readUInt16BE(0),
    rcode: RCODES[buffer.readUInt16BE(2) & 0xf] ?? 'other',
    truncated,
    authentic: whole.flag_ad,
    authoritative: whole.flag_aa,
    recursive: whole.flag_ra,
    question: question && { name: question.name, type: question.type },
    answers,
    negativeTtl: soa && Math.min(sane(soa.ttl), sane(soa.data.minimum)),
    referral: !soa && authorities.some((each) => each.type === 'NS'),
  };
}

const HEADER = 12;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

type Decoded = ReturnType<typeof packet.decode>;

function decoded(buffer: Buffer): Decoded | undefined {
  try {
    const whole = packet.decode(buffer);
    // It reads beyond the end of what is cut off: a part of a record then, or NaN for where it got.
    return packet.decode.bytes <= buffer.length ? whole : undefined;
  } catch {
    // The codec throws plain errors at whatever is cut or twisted: no answer.
    return undefined;
  }
}

function decodedQuestion(buffer: Buffer): Decoded | undefined {
  const front = Buffer.from(buffer);
  front.fill(0, 6, HEADER);
  return decoded(front);
}

/** RFC 2181 §8: a TTL with its highest bit set is zero. */
function sane(ttl: number | undefined): number {
  return ttl === undefined || ttl > 0x7fff_ffff ? 0 : ttl;
}

function dnsRecord(answer: Answer): DnsRecord | undefined {
  if (!('class' in answer) || answer.class !== 'IN') return undefined;
  switch (answer.type) {
    case 'A':
    case 'AAAA': {
      const address = parseAddress(answer.data);
      return address === undefined ? undefined : { type: answer.type, address };
    }
    case 'MX':
      return { type: 'MX', preference: answer.data.preference ?? 0, host: receivedName(answer.data.exchange) };
    case 'CNAME':
    case 'PTR':
      return { type: answer.type, name: receivedName(answer.data) };
    case 'TXT':
      // Copied: a view would keep the whole packet as long as the cache keeps the record.
      return { type: 'TXT', strings: [answer.data].flat().map((part) => Uint8Array.from(Buffer.from(part))) };
    default:
      return undefined;
  }
}
