import { mailboxOf, parseAddressText, splitList } from './mailbox.ts';

/** A line of a message's header; its value has no line ends of its own. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** RFC 5322 2.2: printable, no colon. */
export const isFieldName = (name: string): boolean => /^[\x21-\x39\x3b-\x7e]{1,76}$/.test(name);

/** CR, LF and every other control character: none of them may reach a header. */
export const hasControls = (text: string): boolean => /[\x00-\x08\x0a-\x1f\x7f]/.test(text);

const FOLD_AT = 76;
const LONGEST_WORD = 900;
/** Bytes of a text in one encoded word: its 75 characters (RFC 2047 2) hold 45. */
const BYTES_PER_WORD = 45;

const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

/** Fields whose value is a list of addresses: encoded words may stand for names there, and never for the whole. */
const OF_ADDRESSES: ReadonlySet<string> = new Set([
  'bcc',
  'cc',
  'disposition-notification-to',
  'from',
  'reply-to',
  'resent-cc',
  'resent-from',
  'resent-sender',
  'resent-to',
  'sender',
  'to',
]);

/**
 * One whole field, encoded and folded, with its line end. The value must have no controls.
 *
 * @returns ASCII: it is made bytes as Latin-1, and there the letter U+010A would be a line feed
 */
export function fieldText({ name, value }: Field): string {
  const long = value.length >= LONGEST_WORD && LONG.test(value);
  const coded = isAscii(value) && !value.includes('=?') && !long ? value : encoded(name, value);
  const line = `${name}: ${coded}`;
  return `${line.length <= FOLD_AT ? line : folded(line)}\r\n`;
}

/** RFC 5322 2.1.1, without the line end. */
const LONGEST_LINE = 998;
/** Characters of one field: a list of some thousand addresses. */
const LONGEST_FIELD = 262_144;

/** Whether it can be written on lines that every server takes: an address, or what looks like one, cannot be folded. */
export const isFoldable = (field: Field): boolean =>
  field.value.length < LONGEST_WORD ||
  (field.value.length <= LONGEST_FIELD &&
    fieldText(field)
      .split('\r\n')
      .every((line) => line.length <= LONGEST_LINE));

const LONG = new RegExp(`[^ ]{${LONGEST_WORD}}`);

function encoded(name: string, value: string): string {
  if (!OF_ADDRESSES.has(name.toLowerCase())) return encodedWords(value);
  return splitList(value)
    .map((each) => {
      if (isAscii(each)) return each.trim();
      const { name: who, email } = mailboxOf(each);
      if (isAscii(email)) return mailboxText(who, email);
      const address = parseAddressText(email);
      // No address at all: whoever reads it shall see what was meant, and no byte of it may be more than a letter.
      return typeof address === 'string' ? encodedWords(each.trim()) : mailboxText(who, address.path);
    })
    .join(', ');
}

/** Breaks at blanks only, so unfolding gives the very same text (RFC 5322 2.2.3). */
function folded(line: string): string {
  const words = line.split(/(?<=[^ ]) (?=[^ ])/);
  let out = words[0] ?? '';
  let length = out.length;
  for (const [index, word] of words.entries()) {
    if (index === 0) continue;
    const last = word.lastIndexOf('\n');
    // The first word stays beside the name: a line of blanks alone may be lost.
    if (index > 1 && length + 1 + word.length > FOLD_AT && last === -1) {
      out += `\r\n ${word}`;
      length = word.length + 1;
    } else {
      out += ` ${word}`;
      length = last === -1 ? length + 1 + word.length : word.length - last;
    }
  }
  return out;
}

/** RFC 2047 words in UTF-8, base64; a character is never cut in two. */
export function encodedWords(text: string): string {
  const words: string[] = [];
  let chunk = '';
  let bytes = 0;
  for (const sign of text.toWellFormed()) {
    const size = Buffer.byteLength(sign);
    if (bytes + size > BYTES_PER_WORD) {
      words.push(chunk);
      chunk = '';
      bytes = 0;
    }
    chunk += sign;
    bytes += size;
  }
  words.push(chunk);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

/** @returns the text of a value that holds encoded words, those of unknown charsets left as they are */
export function decodedWords(value: string): string {
  return value
    .replace(/(=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)\s+(?==\?)/g, '$1')
    .replace(
      /=\?([^?\s*]+)(?:\*[^?]*)?\?([BbQq])\?([^?\s]*)\?=/g,
      (whole, charset: string, how: string, text: string) => {
        const code = /^(?:utf-?8|us-ascii)$/i.test(charset)
          ? 'utf8'
          : /^iso-8859-1$/i.test(charset)
            ? 'latin1'
            : undefined;
        if (code === undefined) return whole;
        if (how.toUpperCase() === 'B') return Buffer.from(text, 'base64').toString(code);
        const bytes = text
          .replaceAll('_', ' ')
          .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
        return Buffer.from(bytes, 'latin1').toString(code);
      },
    );
}

/** `"name" <email>`, or the address alone. */
export function mailboxText(name: string | undefined, email: string): string {
  if (name === undefined || name === '') return email;
  const phrase = isAscii(name) && !name.includes('=?') ? `"${name.replace(/["\\]/g, '\\$&')}"` : encodedWords(name);
  return `${phrase} <${email}>`;
}

/** `; name="value"`, or RFC 2231 for what is not ASCII, cut where it is long. */
export function parameter(name: string, value: string): string {
  if (/^[\x20-\x7e]{0,60}$/.test(value)) return `;\r\n ${name}="${value.replace(/["\\]/g, '\\$&')}"`;
  const coded = [...Buffer.from(value.toWellFormed())].map((byte) =>
    ATTRIBUTE_CHAR.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  const sections: string[] = [''];
  for (const sign of coded) {
    if ((sections.at(-1)?.length ?? 0) + sign.length > 50) sections.push('');
    sections[sections.length - 1] += sign;
  }
  if (sections.length === 1) return `;\r\n ${name}*=UTF-8''${sections[0]}`;
  return sections.map((section, index) => `;\r\n ${name}*${index}*=${index === 0 ? "UTF-8''" : ''}${section}`).join('');
}

const ATTRIBUTE_CHAR = /[A-Za-z0-9!#$&+.^_`{|}~-]/;
