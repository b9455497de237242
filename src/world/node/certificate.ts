import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { TlsIdentity } from '../tls.ts';

/** What a certificate is to say. */
export interface CertificateOrder {
  /** Becomes the common name. */
  readonly commonName: string;
  readonly organization?: string;
  /** Host names it holds for; a `*` in place of the first label. */
  readonly names?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
  /** It may sign others. */
  readonly authority?: boolean;
  /** Who signs; itself when left out. */
  readonly issuer?: Issued;
}

/** A certificate with what is needed to sign others with it. */
export interface Issued extends TlsIdentity {
  /** PEM, without the chain. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
  readonly subject: Buffer;
}

/**
 * A certificate of one plain shape (RFC 5280, P-256, ECDSA with SHA-256): to try a server with, and for tests. Node's
 * library reads certificates and makes none, and the packages that do bring ASN.1 tool kits of ten packages.
 */
export function issueCertificate(order: CertificateOrder): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = name(order);
  const { issuer } = order;
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    sequence(oid(ECDSA_WITH_SHA256)),
    issuer?.subject ?? subject,
    sequence(time(order.from), time(order.until)),
    subject,
    spki,
    tagged(0xa3, sequence(...extensions(order, spki))),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  const der = sequence(body, sequence(oid(ECDSA_WITH_SHA256)), tagged(0x03, Buffer.from([0]), signature));
  const certificate = pem('CERTIFICATE', der);
  const chain = issuer === undefined ? certificate : certificate + issuer.chain.toString();
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { certificate, chain: Buffer.from(chain), key: Buffer.from(key), privateKey, subject };
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const SUBJECT_KEY = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALTERNATIVE_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

function extensions(order: CertificateOrder, spki: Buffer): readonly Buffer[] {
  const authority = order.authority === true;
  const found = [
    extension(BASIC_CONSTRAINTS, true, sequence(...(authority ? [tagged(0x01, Buffer.from([0xff]))] : []))),
    // keyCertSign and cRLSign; digitalSignature.
    extension(KEY_USAGE, true, tagged(0x03, authority ? Buffer.from([1, 0x06]) : Buffer.from([7, 0x80]))),
    extension(SUBJECT_KEY, false, octets(createHash('sha1').update(spki).digest())),
  ];
  if (!authority) found.push(extension(EXTENDED_KEY_USAGE, false, sequence(...SERVER_AND_CLIENT.map(oid))));
  const names = order.names ?? [];
  if (names.length > 0) {
    const general = names.map((each) => tagged(0x82, Buffer.from(each, 'latin1')));
    found.push(extension(ALTERNATIVE_NAMES, false, sequence(...general)));
  }
  return found;
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [tagged(0x01, Buffer.from([0xff]))] : []), octets(value));
}

function name({ commonName, organization }: CertificateOrder): Buffer {
  const part = (id: string, text: string): Buffer =>
    tagged(0x31, sequence(oid(id), tagged(0x0c, Buffer.from(text, 'utf8'))));
  return sequence(
    ...(organization === undefined ? [] : [part(ORGANIZATION, organization)]),
    part(COMMON_NAME, commonName),
  );
}

/** RFC 5280 §4.1.2.5: two digits for the year until 2049, four from then on. */
function time(at: number): Buffer {
  const text = `${new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  const short = Number(text.slice(0, 4)) < 2050;
  return tagged(short ? 0x17 : 0x18, Buffer.from(short ? text.slice(2) : text, 'latin1'));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const digits = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes);

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
