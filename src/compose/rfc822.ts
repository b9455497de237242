import type { Segments } from '../base/index.ts';
import type { Data, Place, Template, Templates } from '../templates/index.ts';
import { fromQuotedPrintable, textBody, withCrlf } from './encode.ts';
import { decodedWords, fieldText, hasControls, isFieldName, isFoldable } from './fields.ts';

/** A message that is no message. */
export class MimeError extends Error {}

/** Multiparts in each other, and parts of one message. */
const DEEPEST = 20;
const MOST_PARTS = 1000;

/** A message as its author wrote it, ready to be filled in. */
export interface Rfc822 {
  /** @returns the first field of that name, unfolded and decoded; templates in it filled in */
  field(name: string, data: Data): string | undefined;
  /** Lower case. */
  readonly names: ReadonlySet<string>;
  /** @throws TemplateError */
  render(data: Data): Segments;
}

type Step = Buffer | ((data: Data) => Buffer);

export interface Rfc822Options {
  /** False: bodies are left alone, header fields are not. */
  readonly bodies: boolean;
  /** Called for a field whose rendered value has a line end, or a word that no line holds. */
  refuse(name: string): never;
}

/** @throws MimeError, TemplateError */
export function compileRfc822(source: string, templates: Templates, options: Rfc822Options): Rfc822 {
  const bytes = Buffer.from(withCrlf(source), 'utf8').toString('latin1');
  const reader = new Reader(templates, options);
  reader.message(bytes.endsWith('\r\n') ? bytes : `${bytes}\r\n`);
  const { steps, fields } = reader;
  return {
    names: new Set(fields.map(({ name }) => name.toLowerCase())),
    field: (name, data) => fields.find((each) => each.name.toLowerCase() === name)?.template.render(data),
    render: (data) => steps.map((step) => (Buffer.isBuffer(step) ? step : step(data))),
  };
}

interface RawField {
  readonly name: string;
  /** Behind the colon, unfolded; bytes as Latin-1 characters. */
  readonly value: string;
  readonly raw: string;
}

interface Entity {
  readonly fields: readonly RawField[];
  readonly type: string;
  readonly boundary: string | undefined;
  readonly charset: string;
  readonly encoding: string;
  readonly attached: boolean;
}

class Reader {
  readonly steps: Step[] = [];
  readonly fields: { readonly name: string; readonly template: Template }[] = [];
  readonly #templates: Templates;
  readonly #options: Rfc822Options;
  /** The first part of each of these kinds is filled in, and no other. */
  readonly #wanted = new Set(['text/plain', 'text/html', 'text/x-amp-html']);
  #parts = 0;

  constructor(templates: Templates, options: Rfc822Options) {
    this.#templates = templates;
    this.#options = options;
  }

  message(text: string): void {
    const { entity, body } = this.#entity(text);
    if (entity.fields.length === 0) throw new MimeError('there is no header');
    this.#body(entity, body, 0, true);
  }

  #entity(text: string): { entity: Entity; body: string } {
    const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
    const head = end === 1 ? text : text.slice(0, end);
    const body = end === 1 ? '' : text.slice(end + 2);
    const fields = fieldsOf(head);
    const value = (name: string): string => fields.find((each) => each.name.toLowerCase() === name)?.value ?? '';
    const contentType = value('content-type');
    const type = /^\s*([^\s;]+)/.exec(contentType)?.[1]?.toLowerCase() ?? 'text/plain';
    return {
      entity: {
        fields,
        type,
        boundary: parameterOf(contentType, 'boundary'),
        charset: (parameterOf(contentType, 'charset') ?? 'us-ascii').toLowerCase(),
        encoding: value('content-transfer-encoding').trim().toLowerCase(),
        attached: /^\s*attachment\b/i.test(value('content-disposition')),
      },
      body,
    };
  }

  #body(entity: Entity, body: string, depth: number, top: boolean): void {
    if (entity.type.startsWith('multipart/')) {
      this.#head(entity, top, () => true);
      this.#raw('\r\n');
      return this.#multipart(entity, body, depth);
    }
    const template = this.#template(entity, body);
    if (template === undefined) {
      this.#head(entity, top, () => true);
      return this.#raw(`\r\n${body}`);
    }
    this.#head(entity, top, (name) => name !== 'content-type' && name !== 'content-transfer-encoding');
    const { type } = entity;
    this.steps.push((data) => {
      const { encoding, body: filled } = textBody(template.render(data));
      const head = `Content-Type: ${type}; charset=UTF-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
      return Buffer.concat([Buffer.from(head, 'latin1'), filled]);
    });
  }

  #multipart({ boundary }: Entity, body: string, depth: number): void {
    if (boundary === undefined || boundary === '') throw new MimeError('a multipart has no boundary');
    if (depth === DEEPEST) throw new MimeError(`multiparts are nested more than ${DEEPEST} deep`);
    const text = `\r\n${body}`;
    const mark = `\r\n--${boundary}`;
    let at = text.indexOf(mark);
    if (at === -1) throw new MimeError('the boundary of a multipart is nowhere in it');
    this.#raw(text.slice(2, Math.max(at, 2)));
    for (let first = true; ; first = false) {
      const lineEnd = text.indexOf('\r\n', at + mark.length);
      if (text.startsWith('--', at + mark.length) || lineEnd === -1) return this.#raw(text.slice(first ? at + 2 : at));
      if (++this.#parts > MOST_PARTS) throw new MimeError(`there are more than ${MOST_PARTS} parts`);
      this.#raw(text.slice(at === 0 ? 2 : at, lineEnd + 2));
      const next = text.indexOf(mark, lineEnd);
      const part = text.slice(lineEnd + 2, next === -1 ? undefined : Math.max(next, lineEnd + 2));
      const inner = this.#entity(part);
      this.#body(inner.entity, inner.body, depth + 1, false);
      if (next === -1) return;
      at = next;
    }
  }

  /** @returns undefined when the part stays as it is */
  #template({ type, charset, encoding, attached }: Entity, body: string): Template | undefined {
    if (!this.#options.bodies || attached || !this.#wanted.delete(type)) return undefined;
    const code = /^(?:utf-?8|us-ascii)$/.test(charset) ? 'utf8' : charset === 'iso-8859-1' ? 'latin1' : undefined;
    if (code === undefined) return undefined;
    const bytes =
      encoding === 'base64'
        ? Buffer.from(body, 'base64')
        : encoding === 'quoted-printable'
          ? fromQuotedPrintable(body)
          : Buffer.from(body, 'latin1');
    const place: Place = type === 'text/plain' ? 'text' : type === 'text/html' ? 'html' : 'amp_html';
    const text = bytes.toString(code);
    const template = this.#templates.compile(text, place);
    return template.constant === text ? undefined : template;
  }

  #head({ fields }: Entity, top: boolean, keep: (name: string) => boolean): void {
    for (const { name, value, raw } of fields) {
      if (!keep(name.toLowerCase())) continue;
      if (!top) {
        this.#raw(raw);
        continue;
      }
      const text = decodedWords(Buffer.from(value, 'latin1').toString('utf8'));
      const template = this.#templates.compile(text, `Header:${name}`);
      this.fields.push({ name, template });
      if (template.constant !== undefined) {
        this.#raw(raw);
        continue;
      }
      this.steps.push((data) => {
        const filled = template.render(data);
        if (hasControls(filled) || !isFoldable({ name, value: filled })) this.#options.refuse(name);
        return Buffer.from(fieldText({ name, value: filled }), 'latin1');
      });
    }
  }

  #raw(text: string): void {
    if (text !== '') this.steps.push(Buffer.from(text, 'latin1'));
  }
}

function fieldsOf(head: string): readonly RawField[] {
  const fields: { name: string; value: string; raw: string }[] = [];
  for (const line of head.split('\r\n')) {
    if (line === '') continue;
    const last = fields.at(-1);
    if (/^[ \t]/.test(line)) {
      if (last === undefined) throw new MimeError('the header begins with a blank');
      last.value += ` ${line.trim()}`;
      last.raw += `${line}\r\n`;
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (!isFieldName(name))
      throw new MimeError(`a line of the header is no field: ${line.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}`);
    fields.push({ name, value: line.slice(colon + 1).trim(), raw: `${line}\r\n` });
  }
  return fields;
}

function parameterOf(field: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i').exec(field);
  return found?.[1]?.replace(/\\(.)/g, '$1') ?? found?.[2];
}
