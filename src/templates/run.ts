import { type Escape, escaped } from './escape.ts';
import { TemplateError } from './trouble.ts';
import { type Data, printed, type Value } from './value.ts';

/** Passes through loops and expressions of one rendering. */
export const MOST_STEPS = 1_000_000;
/** Bytes of one rendered part. */
export const MOST_OUTPUT = 4 * 1024 * 1024;
/** Milliseconds that one part may take. */
export const MOST_MILLIS = 50;
/** Steps between two looks at the clock. */
const STEPS_PER_LOOK = 4096;
/** Characters that are looked at for the price of a step. */
const PER_STEP = 128;

/** A loop that goes on at the moment. */
export interface Loop {
  readonly name: string;
  readonly value: Value;
  /** Counted from 1. */
  readonly index: number;
  readonly outer: Loop | undefined;
}

/** What a template does when it is rendered. */
export type Body = (run: Run) => void;

/** render_dynamic_content within itself. */
const DEEPEST_CONTENT = 5;

/** What a rendering needs of its surroundings. */
export interface Surroundings {
  /** Milliseconds on any scale. */
  now(): number;
  /** For render_dynamic_content. @throws TemplateError */
  body(source: string, part: string): Body;
}

/** One rendering: what it works on, what it has written, and what it may still use. */
export class Run {
  readonly data: Data;
  readonly part: string;
  readonly escape: Escape;
  loop: Loop | undefined;
  /** Line of the tag that is worked on. */
  line = 1;
  out = '';
  readonly #surroundings: Surroundings;
  readonly #until: number;
  #depth = 0;
  #steps = 0;
  #look = STEPS_PER_LOOK;
  #held = 0;

  constructor(data: Data, part: string, manner: Escape, surroundings: Surroundings) {
    this.data = data;
    this.part = part;
    this.escape = manner;
    this.#surroundings = surroundings;
    this.#until = surroundings.now() + MOST_MILLIS;
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > MOST_STEPS) this.fail(`more than ${MOST_STEPS} steps`);
    if (this.#steps < this.#look) return;
    this.#look = this.#steps + STEPS_PER_LOOK;
    if (this.#surroundings.now() > this.#until) this.fail(`rendering takes more than ${MOST_MILLIS} ms`);
  }

  /** An operator goes through a text: a long one takes its time, and one tag may have a thousand operators. */
  reads({ length }: string): void {
    if (length >= PER_STEP) this.step(Math.floor(length / PER_STEP));
  }

  write(text: string): void {
    this.#held += text.length;
    if (this.#held > MOST_OUTPUT) this.#tooLong();
    this.out += text;
  }

  /** What an expression has come to. */
  print(value: Value, how: Escape): void {
    if (typeof value === 'object' && value !== null) this.#costs(value);
    this.write(escaped(printed(value), how));
  }

  /** A tree is written out as JSON: it counts as many steps as it has parts, before anything is made of it. */
  #costs(value: Value): void {
    this.step();
    if (typeof value !== 'object' || value === null) return;
    for (const each of Object.values(value)) this.#costs(each as Value);
  }

  /** Renders a text of the transmission's data where it stands, by the rules of this part. */
  inside(source: Value): void {
    if (source === undefined || source === null) return;
    if (typeof source !== 'string') this.fail('render_dynamic_content needs a text');
    if (this.#depth === DEEPEST_CONTENT)
      this.fail(`render_dynamic_content is nested more than ${DEEPEST_CONTENT} deep`);
    const { line } = this;
    this.#depth++;
    this.#surroundings.body(source, this.part)(this);
    this.#depth--;
    this.line = line;
  }

  finished(): string {
    if (this.out.length > MOST_OUTPUT / 3 && Buffer.byteLength(this.out) > MOST_OUTPUT) this.#tooLong();
    return this.out;
  }

  fail(what: string): never {
    throw new TemplateError('render', this.part, this.line, what);
  }

  #tooLong(): never {
    this.fail(`the result is longer than ${MOST_OUTPUT} bytes`);
  }
}
