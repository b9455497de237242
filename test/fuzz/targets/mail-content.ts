import { compileContent, dataOf, readRecipient, Trouble } from '../../../src/generation/index.ts';
import { templates } from '../../../src/templates/index.ts';
import type { Dice } from '../../sim/dice.ts';
import { type FuzzTarget, latin } from '../target.ts';

/** The fields of a request, in the order in which an input has them, parted by NULs. */
const PARTS = [
  'from',
  'email',
  'subject',
  'reply',
  'name',
  'value',
  'to',
  'headerTo',
  'file',
  'type',
  'text',
  'data',
] as const;
type Given = Readonly<Record<(typeof PARTS)[number], string>>;

const SOUND: Given = {
  from: 'Shop',
  email: 'news@shop.test',
  subject: 'Hi {{x}}',
  reply: 'r@shop.test',
  name: 'X-Order',
  value: '{{x}}',
  to: 'Ann',
  headerTo: '"A, B" <a@x.test>, c@y.test',
  file: 'a.txt',
  type: 'text/plain',
  text: 'Hello {{x}}\n',
  data: 'Ann',
};
const BREAKS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n ',
  '\n\t',
  '\u0085',
  '\u2028',
  '\v',
  '\x1f',
  '\r\nBcc: all@evil.test',
  '%0d%0aBcc: x',
] as const;
const WRITTEN = new Set([
  'from',
  'to',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'received',
]);

/** Makes a message of it, as a transmission would. */
function made(given: Given): { readonly bytes: Buffer; readonly own: string } {
  const content = {
    from: { name: given.from, email: given.email },
    subject: given.subject,
    ...(given.reply === '' ? {} : { reply_to: given.reply }),
    ...(given.name === '' ? {} : { headers: { [given.name]: given.value } }),
    text: given.text,
    attachments: [{ name: given.file, type: given.type, data: 'AAAA' }],
  };
  const compiled = compileContent(
    content,
    templates(() => performance.now()),
    { override: {}, options: {} },
  );
  const recipient = readRecipient({ address: { email: 'a@x.test', name: given.to, header_to: given.headerTo } });
  const data = dataOf({ substitutionData: { x: given.data }, metadata: {} }, recipient, undefined);
  const { body } = compiled.render({
    recipient,
    data,
    received: () => Buffer.from('Received: by here\r\n'),
    date: 'Thu, 1 Jan 1970 00:00:00 +0000',
    messageId: '<1@here>',
    mark: 'MARK',
  });
  return { bytes: Buffer.concat(body as Uint8Array[]), own: given.name.toLowerCase() };
}

export const mailContent: FuzzTarget = {
  name: 'mail-content',
  about:
    'content of mail by HTTP: never a header field more than was asked for, lines end with CRLF and are no longer than 998',
  words: [
    ...BREAKS,
    '\0',
    '{{x}}',
    '"',
    '<',
    '>',
    ',',
    ':',
    '=?UTF-8?B?',
    '?=',
    '\\',
    'ä',
    '😀',
    ' '.repeat(80),
    'Bcc',
    'To',
    'x'.repeat(1000),
  ],
  generate(dice) {
    const given = PARTS.map((part) => (dice.happens(0.2) ? broken(dice, SOUND[part]) : SOUND[part]));
    return Buffer.from(given.join('\0'), 'utf8');
  },
  check(input) {
    const values = input.toString('utf8').split('\0');
    const given = Object.fromEntries(PARTS.map((part, at) => [part, values[at] ?? SOUND[part]])) as unknown as Given;
    let message: ReturnType<typeof made>;
    try {
      message = made(given);
    } catch (error) {
      if (error instanceof Trouble) return undefined;
      // Templates say what is wrong with data in their own words; a transmission makes a Trouble of it.
      if (error instanceof Error && error.constructor.name === 'TemplateError') return undefined;
      throw error;
    }
    return troubleOf(message.bytes, message.own);
  },
};

function broken(dice: Dice, text: string): string {
  const at = dice.between(0, text.length);
  return text.slice(0, at) + dice.of(BREAKS) + text.slice(at);
}

function troubleOf(bytes: Buffer, own: string): string | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return 'there is no end of the header';
  const header = bytes.toString('latin1', 0, end);
  if (/[^\x20-\x7e\t\r\n]/.test(header)) return 'a byte in the header that is no printable ASCII';
  if (/(?<!\r)\n|\r(?!\n)/.test(bytes.toString('latin1'))) return 'a lone CR or LF';
  const seen = new Map<string, number>();
  for (const line of header.split('\r\n')) {
    if (line.length > 998) return `a line of ${line.length} characters`;
    if (/^[ \t]/.test(line)) {
      if (line.trim() === '') return 'a line of blanks in the header';
      continue;
    }
    const name = /^([!-9;-~]+):/.exec(line)?.[1]?.toLowerCase();
    if (name === undefined) return `no field: ${JSON.stringify(line.slice(0, 40))}`;
    if (name !== own && !WRITTEN.has(name)) return `a field ${name} that nobody asked for`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  for (const [name, count] of seen) if (count > 1) return `${name} ${count} times`;
  for (const name of ['from', 'to', 'subject', 'date', 'message-id']) if (!seen.has(name)) return `${name} is missing`;
  if (bytes.indexOf(latin('--=_MARK_0--')) === -1) return 'the last boundary is missing';
  return undefined;
}
