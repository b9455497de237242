import type { Millis } from '../base/index.ts';
import { type BodyTraits, fieldValue, findField, findHeaderEnd, mailDate } from '../message/index.ts';
import { decodeXtext, type Reply, replyText } from '../smtp/index.ts';
import type { Chance } from '../world/index.ts';
import { type DsnAction, deliveryWords } from './dsn-words.ts';
import { type FitText, fitLines, hasDots, readable, statusField, wrapped } from './original.ts';

/** One recipient that is reported. */
export interface DsnFailure {
  /** `local@domain` as it stood in the envelope. */
  readonly recipient: string;
  /** Why it failed: what is logged. */
  readonly reply: Reply;
  /** What the peer said last, where that is something else: for Diagnostic-Code. */
  readonly remoteReply: Reply;
  /** The server that was talked to, both empty when there was none. */
  readonly host: string;
  readonly address: string;
  /** Wall clock; undefined when it was never tried. */
  readonly lastAttemptAt: Millis | undefined;
  /** ORCPT as the sender gave it. */
  readonly originalRecipient?: string | undefined;
  /** `delayed`: wall clock. */
  readonly until?: Millis | undefined;
}

/** What is quoted of the failed message; `bytes` as they were received. */
export type QuotedOriginal =
  | { readonly kind: 'none' }
  | { readonly kind: 'headers'; readonly bytes: Uint8Array }
  | { readonly kind: 'all'; readonly bytes: Uint8Array };

export interface DsnParts {
  /** Our name. */
  readonly hostname: string;
  /** Address of the From field. */
  readonly from: string;
  readonly to: string;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly date: Millis;
  /** When the failed message arrived. */
  readonly arrivedAt: Millis;
  readonly action: DsnAction;
  /** ENVID as the sender gave it. */
  readonly envelopeId?: string | undefined;
  /** At least one. */
  readonly failures: readonly DsnFailure[];
  readonly original: QuotedOriginal;
  readonly chance: Chance;
}

/** A whole message; its lines all end with CRLF, so that `traits.lone` is false. */
export interface Dsn {
  readonly segments: Uint8Array[];
  readonly size: number;
  readonly traits: BodyTraits;
}

/**
 * The report that mail could not be delivered, waits, or has gone on.
 *
 * @see RFC 3464, RFC 6522 (multipart/report), RFC 3834 (automatic answers); spec/delivery.md 9.1
 */
export function writeDsn(parts: DsnParts): Dsn {
  const { original } = parts;
  const fit = fitOriginal(original);
  const description = Buffer.from(describe(parts), 'utf8');
  const status = Buffer.from(deliveryStatus(parts), 'latin1');
  const boundary = unusedBoundary(parts.chance, [description, status, ...(fit === undefined ? [] : [fit.bytes])]);

  const eightBit = fit?.eightBit === true || isEightBit(description);
  const start = [
    Buffer.from(header(parts, boundary, eightBit), 'latin1'),
    Buffer.from(part(boundary, 'text/plain; charset=utf-8', isEightBit(description)), 'latin1'),
    description,
    Buffer.from(part(boundary, 'message/delivery-status', false), 'latin1'),
    status,
  ];
  const end = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  const type = original.kind === 'all' ? 'message/rfc822' : 'text/rfc822-headers';
  const quoted = fit === undefined ? [] : [Buffer.from(part(boundary, type, fit.eightBit), 'latin1'), fit.bytes];
  const segments: Uint8Array[] = [Buffer.concat(start), ...quoted, end];
  return {
    segments,
    size: segments.reduce((sum, segment) => sum + segment.length, 0),
    traits: { dots: fit !== undefined && hasDots(fit.bytes), lone: false, ...(eightBit ? { eightBit } : {}) },
  };
}

function fitOriginal(original: QuotedOriginal): FitText | undefined {
  if (original.kind === 'none') return undefined;
  const end = original.kind === 'all' ? findHeaderEnd(original.bytes)?.header : undefined;
  const head = fitLines(original.bytes.subarray(0, end), 'header');
  if (end === undefined) return head;
  const body = fitLines(original.bytes.subarray(end), 'body');
  return { bytes: Buffer.concat([head.bytes, body.bytes]), eightBit: head.eightBit || body.eightBit };
}

function header(parts: DsnParts, boundary: string, eightBit: boolean): string {
  const reference = originalMessageId(parts.original);
  return (
    `Date: ${mailDate(parts.date)}\r\n` +
    `From: Mail Delivery System <${withoutControls(parts.from)}>\r\n` +
    `To: <${withoutControls(parts.to)}>\r\n` +
    `Subject: ${deliveryWords[parts.action].subject}\r\n` +
    `Message-ID: ${withoutControls(parts.messageId)}\r\n` +
    (reference === undefined ? '' : `In-Reply-To: ${reference}\r\nReferences: ${reference}\r\n`) +
    `Auto-Submitted: auto-replied\r\n` +
    `MIME-Version: 1.0\r\n` +
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"\r\n` +
    (eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : '') +
    `\r\n`
  );
}

function part(boundary: string, type: string, eightBit: boolean): string {
  return `\r\n--${boundary}\r\nContent-Type: ${type}\r\n${eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}\r\n`;
}

/** For people: who did not get it, who said so, what comes below. */
function describe(parts: DsnParts): string {
  const intro = deliveryWords[parts.action].intro(
    readable(parts.hostname),
    mailDate(parts.arrivedAt),
    parts.failures.length,
  );
  const rest: Record<QuotedOriginal['kind'], string> = {
    none: 'Below are the details for programs.',
    headers: 'Below are the details for programs, and the header of your message.',
    all: 'Below are the details for programs, and your message.',
  };
  return `${wrapped(intro, textWidth, '')}\r\n${parts.failures.map((each) => describeFailure(each, parts.action)).join('\r\n')}\r\n${rest[parts.original.kind]}\r\n`;
}

function describeFailure(failure: DsnFailure, action: DsnAction): string {
  const { reply, remoteReply } = failure;
  const server =
    failure.host === '' || failure.address === ''
      ? failure.host || failure.address
      : `${failure.host} [${failure.address}]`;
  const said = server === '' ? 'Reason:' : `The server ${readable(server)} answered:`;
  const until =
    action === 'delayed' && failure.until !== undefined
      ? `    It will be tried until ${mailDate(failure.until)}.\r\n`
      : '';
  const ours = reply.text.includes('[internal]');
  const remote = remoteReply === reply ? '' : `    The last answer was:\r\n${quote(remoteReply)}`;
  return `${wrapped(`<${readable(failure.recipient)}>`, longestWord, '  ')}    ${ours ? 'Reason:' : said}\r\n${quote(reply)}${remote}${until}`;
}

const quote = (said: Reply): string => wrapped(readable(replyText(said)), textWidth, '      ');

const textWidth = 72;
/** An address is not broken where people would copy it, unless it is longer than any line may be. */
const longestWord = 240;

function deliveryStatus(parts: DsnParts): string {
  const message =
    (parts.envelopeId === undefined
      ? ''
      : statusField('Original-Envelope-Id', decodeXtext(parts.envelopeId) ?? parts.envelopeId)) +
    statusField('Reporting-MTA', `dns; ${parts.hostname}`) +
    statusField('Arrival-Date', mailDate(parts.arrivedAt));
  return `${message}${parts.failures.map((failure) => `\r\n${recipientStatus(failure, parts.action)}`).join('')}`;
}

function recipientStatus(failure: DsnFailure, action: DsnAction): string {
  const { remoteReply, lastAttemptAt, originalRecipient, until } = failure;
  const good = action === 'relayed' || action === 'delivered';
  const { code, enhanced } = failure.reply;
  const fallback = good ? '2.0.0' : `${code < 500 ? 4 : 5}.0.0`;
  return (
    (originalRecipient === undefined ? '' : statusField('Original-Recipient', originalAddress(originalRecipient))) +
    statusField('Final-Recipient', finalRecipient(failure.recipient)) +
    statusField('Action', action) +
    statusField('Status', good && enhanced?.startsWith('2') !== true ? fallback : (enhanced ?? fallback)) +
    (failure.host === '' ? '' : statusField('Remote-MTA', `dns; ${failure.host}`)) +
    // RFC 3464 §2.3.6: for what went wrong.
    (good ? '' : statusField('Diagnostic-Code', `smtp; ${replyText(remoteReply)}`)) +
    (lastAttemptAt === undefined ? '' : statusField('Last-Attempt-Date', mailDate(lastAttemptAt))) +
    (until === undefined ? '' : statusField('Will-Retry-Until', mailDate(until)))
  );
}

/** The type of address, and the address without its xtext (RFC 3464 §2.3.1). */
function originalAddress(orcpt: string): string {
  const semicolon = orcpt.indexOf(';');
  const address = orcpt.slice(semicolon + 1);
  return `${orcpt.slice(0, semicolon)}; ${sevenBit(readable(decodeXtext(address) ?? address))}`;
}

/** An address beyond ASCII is written in the 7-bit form of RFC 6533 §3. */
function finalRecipient(path: string): string {
  const text = readable(path);
  if (!/[^\x20-\x7e]/.test(text)) return `rfc822; ${text}`;
  return `utf-8; ${sevenBit(text.replaceAll('\\', '\\x{5C}').replaceAll('+', '\\x{2B}').replaceAll('=', '\\x{3D}'))}`;
}

/** Characters beyond printable ASCII as RFC 6533 §3 writes them. */
const sevenBit = (text: string): string =>
  text.replace(/[^\x21-\x7e]/gu, (character) => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);

/** Only a well-formed id is repeated: it comes from outside. */
function originalMessageId(original: QuotedOriginal): string | undefined {
  if (original.kind === 'none') return undefined;
  const span = findField(original.bytes, 'message-id');
  const value = span === undefined ? '' : fieldValue(original.bytes, span);
  return value.length <= 900 && /^<[\x21-\x3b\x3d\x3f-\x7e]+>$/.test(value) ? value : undefined;
}

/** Nothing that it separates holds it: tried again until that is true, which takes one try. */
function unusedBoundary(chance: Chance, texts: readonly Buffer[]): string {
  for (let attempt = 0; ; attempt++) {
    const boundary = `=_${Buffer.from(chance.bytes(12)).toString('hex')}_${attempt}`;
    if (texts.every((text) => text.indexOf(boundary) === -1)) return boundary;
  }
}

const isEightBit = (bytes: Buffer): boolean => /[^\0-\x7f]/.test(bytes.toString('latin1'));
/** Header text is bytes in Latin-1 characters: anything else would be cut to its low byte, which may be a control. */
const withoutControls = (text: string): string => text.replace(/[^\x20-\x7e\x80-\xff]/g, '?');
