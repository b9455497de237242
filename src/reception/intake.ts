import type { Segments } from '../base/index.ts';
import { HeaderScanner } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import { type HeaderRules, judgeHeader, type MissingFields } from './content/header-rules.ts';
import { LineEndFixer } from './content/line-ends.ts';
import { LongLines } from './content/long-lines.ts';
import { replies } from './replies.ts';

/** A header that goes on after so much is kept as it is. */
const MOST_HEADER_BYTES = 262_144;

export interface IntakeRules extends HeaderRules {
  readonly fixLineEnds: { readonly header: boolean; readonly body: boolean } | undefined;
}

/**
 * What stands between a client and the draft: line ends, the header, long lines. The first views are held back until the
 * header is known, so that it can be judged and completed; what comes behind it goes through as it is, nearly always.
 */
export class Intake {
  /** Why the message is refused for what it is. */
  trouble: Reply | undefined = undefined;
  dateMissing = false;
  readonly fixer: LineEndFixer | undefined;
  readonly #rules: IntakeRules;
  readonly #fields: MissingFields;
  readonly #trace: Uint8Array | undefined;
  readonly #scanner = new HeaderScanner();
  readonly #lines: LongLines | undefined;
  #held: Uint8Array[] | undefined = [];
  #heldBytes = 0;

  /** @param trace  our trace fields, in front of everything */
  constructor(rules: IntakeRules, fields: MissingFields, trace: Uint8Array | undefined) {
    this.#rules = rules;
    this.#fields = fields;
    this.#trace = trace;
    this.fixer = rules.fixLineEnds === undefined ? undefined : new LineEndFixer(rules.fixLineEnds);
    this.#lines = rules.lines === undefined ? undefined : new LongLines(rules.lines);
  }

  /** A line that was made here may begin with a dot. */
  get dots(): boolean {
    return (this.fixer?.changed ?? false) || (this.#lines?.dots ?? false);
  }

  /** @returns what may be kept now; empty while the header is on its way */
  pass(bytes: Segments): Segments {
    if (this.#held === undefined && this.fixer === undefined && this.#lines === undefined) return bytes;
    const out: Uint8Array[] = [];
    for (const view of bytes) {
      if (this.fixer === undefined) this.#take(view, out);
      else for (const fixed of this.fixer.fix(view)) this.#take(fixed, out);
    }
    return out;
  }

  /** All has come. */
  finish(): Segments {
    const out: Uint8Array[] = [];
    for (const last of this.fixer?.finish() ?? []) this.#take(last, out);
    if (this.#held !== undefined) this.#header(this.#heldBytes, out);
    this.#lines?.finish(out);
    if (this.#lines?.tooLong === true && this.#rules.lines?.act === 'reject') this.trouble ??= replies.bodyLineTooLong;
    return out;
  }

  #take(view: Uint8Array, out: Uint8Array[]): void {
    if (this.#held === undefined) return this.#body(view, out);
    this.#held.push(view);
    this.#heldBytes += view.length;
    if (this.#scanner.feed(view)) this.#header(this.#scanner.length ?? 0, out);
    else if (this.#heldBytes > MOST_HEADER_BYTES) this.#header(0, out);
  }

  /** @param length  of the header with its blank line; 0: there is none that could be judged */
  #header(length: number, out: Uint8Array[]): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (this.#trace !== undefined) out.push(this.#trace);
    if (length === 0 && this.#heldBytes > 0) {
      for (const view of held) this.#body(view, out);
      return;
    }
    const [first] = held;
    const header =
      first !== undefined && first.length >= length ? bufferOf(first, length) : Buffer.concat(held, length);
    const judged = judgeHeader(header, this.#rules, this.#fields);
    this.trouble = judged.trouble;
    this.dateMissing = judged.dateMissing;
    if (judged.bytes === header && this.#lines === undefined) {
      // Nothing was changed: the views go on as they came.
      for (const view of held) out.push(view);
      return;
    }
    out.push(judged.bytes);
    let skip = length;
    for (const view of held) {
      if (view.length > skip) this.#body(view.subarray(skip), out);
      skip = Math.max(0, skip - view.length);
    }
  }

  #body(view: Uint8Array, out: Uint8Array[]): void {
    if (this.#lines === undefined) out.push(view);
    else this.#lines.pass(view, out);
  }
}

const bufferOf = (bytes: Uint8Array, length: number): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, length);
