import type { Segments } from '../base/index.ts';
import {
  attachment,
  buildMessage,
  compileRfc822,
  type EncodedFile,
  type Field,
  fieldText,
  fromBase64,
  hasControls,
  inlineImage,
  isFieldName,
  isFoldable,
  isMediaType,
  MimeError,
  mailboxOf,
  mailboxText,
  mediaTypeOf,
  parseAddressText,
} from '../compose/index.ts';
import {
  type Data,
  MOST_OUTPUT,
  type Place,
  type Template,
  TemplateError,
  type Templates,
} from '../templates/index.ts';
import type { Content, GivenFile, Order, Recipient, Sender } from './order.ts';
import { Trouble } from './trouble.ts';

/** One message, ready for the spool. */
export interface Rendered {
  readonly body: Segments;
  /** The address in From: the reverse-path when nobody gave one. */
  readonly from: string;
}

/** What only the moment of making knows. */
export interface Making {
  readonly recipient: Recipient;
  readonly data: Data;
  /** @param from the address in From, which is the reverse-path of a message that has no other */
  readonly received: (from: string) => Buffer;
  readonly date: string;
  readonly messageId: string;
  /** Letters, digits and dots, of this message alone. */
  readonly mark: string;
}

export interface Compiled {
  /** @throws Trouble 3001, 1901 */
  render(making: Making): Rendered;
  /** For previews: the parts, filled in. */
  preview(data: Data): Readonly<Record<string, unknown>>;
}

/** Fields that have places of their own in a request, or that we write. */
const TAKEN: ReadonlySet<string> = new Set([
  'subject',
  'from',
  'to',
  'reply-to',
  'content-type',
  'content-transfer-encoding',
  'mime-version',
]);
const MOST_HEADERS = 200;
const LONGEST_FILE_NAME = 255;

/**
 * Everything that can be wrong with content before there is a recipient.
 *
 * @param override beats the content, and has no templates in it
 * @throws Trouble
 */
export function compileContent(
  content: Content,
  templates: Templates,
  { override, options }: Pick<Order, 'override' | 'options'>,
): Compiled {
  try {
    return content.email_rfc822 === undefined
      ? inline(content, templates, override, options.perform_substitutions !== false)
      : rfc822(content.email_rfc822, templates, options.perform_substitutions !== false);
  } catch (error) {
    throw asTrouble(error);
  }
}

export function asTrouble(error: unknown): unknown {
  if (error instanceof TemplateError)
    return new Trouble(error.kind === 'syntax' ? '3000' : '3001', error.message, {
      part: error.part,
      line: error.line,
    });
  return error instanceof MimeError ? new Trouble('3020', error.message) : error;
}

function inline(content: Content, templates: Templates, override: Order['override'], bodies: boolean): Compiled {
  const header = (name: string, source: string): Template => {
    if (hasControls(source))
      throw new Trouble('3002', `${name} has line ends or other controls`, { part: `Header:${name}` });
    return templates.compile(source, `Header:${name}`);
  };
  const literal = (text: string): Template => ({ constant: text, render: () => text });
  const literalBody = (place: Place, text: string): Template => {
    if (Buffer.byteLength(text) > MOST_OUTPUT)
      throw new Trouble('3001', `it is longer than ${MOST_OUTPUT} bytes`, { part: place, line: 1 });
    return literal(text);
  };
  const body = (place: Place, source: string | undefined): Template | undefined =>
    source === undefined ? undefined : bodies ? templates.compile(source, place) : literalBody(place, source);

  const from = senderOf(
    override.from ?? content.from,
    'content.from',
    override.from === undefined ? header : (name, text) => checked(name, literal(text)),
  );
  if (content.subject === undefined) throw new Trouble('1400', 'content.subject is required');
  const subject = header('Subject', content.subject);
  const replyTo =
    override.reply_to !== undefined
      ? checked('Reply-To', literal(override.reply_to))
      : content.reply_to === undefined || content.reply_to === ''
        ? undefined
        : header('Reply-To', content.reply_to);
  const text = body('text', content.text);
  const html = body('html', content.html);
  const amp = body('amp_html', content.amp_html);
  if (text === undefined && html === undefined) throw new Trouble('1400', 'content.text or content.html is required');
  const given = Object.entries(content.headers ?? {});
  if (given.length > MOST_HEADERS) throw new Trouble('3002', `there are more than ${MOST_HEADERS} header fields`);
  const headers = given.map(([name, value]) => {
    if (!isFieldName(name)) throw new Trouble('3002', `${shown(name)} is no name of a header field`);
    if (TAKEN.has(name.toLowerCase()))
      throw new Trouble('3002', `${name} may not stand in content.headers`, { part: `Header:${name}` });
    return { name, template: header(name, value) };
  });
  const own = new Set(headers.map(({ name }) => name.toLowerCase()));
  const attachments = (content.attachments ?? []).map((each) => fileOf(each, 'attachments', attachment));
  const inlined = (content.inline_images ?? []).map((each) => fileOf(each, 'inline_images', inlineImage));
  const names = new Set((content.inline_images ?? []).map(({ name }) => name));
  if (names.size < inlined.length) throw new Trouble('1300', 'two inline_images have one name');

  return {
    render: ({ recipient, data, received, date, messageId, mark }) => {
      const sender = from(data);
      const reply = replyTo === undefined ? undefined : filled('Reply-To', replyTo, data);
      const fields: Field[] = [
        { name: 'From', value: mailboxText(sender.name, sender.email) },
        { name: 'To', value: toOf(recipient) },
        ...(reply === undefined || reply === '' ? [] : [{ name: 'Reply-To', value: reply }]),
        { name: 'Subject', value: filled('Subject', subject, data) },
        ...(own.has('date') ? [] : [{ name: 'Date', value: date }]),
        ...(own.has('message-id') ? [] : [{ name: 'Message-ID', value: messageId }]),
        ...headers.map(({ name, template }) => ({ name, value: filled(name, template, data) })),
      ];
      for (const field of fields) if (!isFoldable(field)) tooLong(field.name);
      const message = buildMessage({
        fields,
        text: text?.render(data),
        html: html?.render(data),
        amp: amp?.render(data),
        inline: inlined,
        attachments,
        id: mark,
      });
      return { body: [received(sender.email), ...message], from: sender.email };
    },
    preview: (data) => {
      const { name, email } = from(data);
      return {
        from: { ...(name === undefined ? {} : { name }), email },
        subject: filled('Subject', subject, data),
        ...(replyTo === undefined ? {} : { reply_to: filled('Reply-To', replyTo, data) }),
        ...(text === undefined ? {} : { text: text.render(data) }),
        ...(html === undefined ? {} : { html: html.render(data) }),
        ...(amp === undefined ? {} : { amp_html: amp.render(data) }),
        headers: Object.fromEntries(headers.map((each) => [each.name, filled(each.name, each.template, data)])),
      };
    },
  };
}

function rfc822(source: string, templates: Templates, bodies: boolean): Compiled {
  const message = compileRfc822(source, templates, { bodies, refuse: badHeader });
  if (!message.names.has('from')) throw new Trouble('3020', 'the message has no From');
  return {
    render: ({ data, received, date, messageId }) => {
      const { email } = mailboxOf(message.field('from', data) ?? '');
      const added = [
        ...(message.names.has('date') ? [] : [{ name: 'Date', value: date }]),
        ...(message.names.has('message-id') ? [] : [{ name: 'Message-ID', value: messageId }]),
      ];
      const front = Buffer.concat([received(email), Buffer.from(added.map(fieldText).join(''), 'latin1')]);
      return { body: [front, ...message.render(data)], from: email };
    },
    preview: (data) => ({ email_rfc822: Buffer.concat(message.render(data) as Uint8Array[]).toString('utf8') }),
  };
}

/** A To that would be read in two ways is sent as it was given, and alone (spec/http-api 4.1). */
function toOf({ name, path, headerTo }: Recipient): string {
  if (headerTo !== undefined && /[<,]/.test(headerTo)) return headerTo;
  return mailboxText(name, headerTo ?? path);
}

type SenderAt = (data: Data) => { readonly name: string | undefined; readonly email: string };

function senderOf(
  given: Sender | undefined,
  field: string,
  compile: (name: string, text: string) => Template,
): SenderAt {
  if (given === undefined) throw new Trouble('1400', `${field} is required`);
  const { name, email } =
    typeof given === 'string' ? mailboxOf(given) : { name: given.name ?? undefined, email: given.email };
  if (email.trim() === '') throw new Trouble('1400', `${field} needs an address`);
  const nameAt = name === undefined ? undefined : compile('From', name);
  const emailAt = compile('From', email);
  if (emailAt.constant !== undefined) addressOf(emailAt.constant);
  return (data) => ({
    name: nameAt === undefined ? undefined : filled('From', nameAt, data).trim(),
    email: addressOf(filled('From', emailAt, data)),
  });
}

function addressOf(email: string): string {
  const parsed = parseAddressText(email);
  if (typeof parsed === 'string')
    throw new Trouble('1300', `From ${shown(email)} is no address: ${parsed}`, { part: 'Header:From' });
  return parsed.path;
}

function filled(name: string, template: Template, data: Data): string {
  const value = template.render(data);
  return hasControls(value) ? badHeader(name) : value;
}

function tooLong(name: string): never {
  throw new Trouble('3002', `${name} is too long, or has a word that is`, { part: `Header:${name}` });
}

/** A value that would add a line to the header. */
function badHeader(name: string): never {
  throw new Trouble('3002', `what ${name} came to has line ends or other controls, or is too long`, {
    part: `Header:${name}`,
  });
}

function checked(name: string, template: Template): Template {
  if (hasControls(template.constant ?? '')) badHeader(name);
  return template;
}

function fileOf(
  { name, type, data }: GivenFile,
  field: string,
  encode: (name: string, type: string, data: Uint8Array) => EncodedFile,
): EncodedFile {
  if (
    name === '' ||
    hasControls(name) ||
    Buffer.byteLength(name) > LONGEST_FILE_NAME ||
    (field === 'inline_images' && /[<>\s]/.test(name))
  )
    throw new Trouble('1300', `${field}: ${shown(name)} is no name for a file`);
  const mediaType = type ?? mediaTypeOf(name);
  if (!isMediaType(mediaType)) throw new Trouble('1300', `${field}: the type of ${shown(name)} is no media type`);
  const bytes = typeof data === 'string' ? fromBase64(data) : Buffer.from(data.data);
  if (bytes === undefined)
    throw new Trouble('1300', `${field}: the data of ${shown(name)} is not base64 without line breaks`);
  return encode(name, mediaType, bytes);
}

const shown = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
