import type { Program, Step } from './matcher-program.ts';

/** What a search came to; `gave up` when it would have taken too long, as PCRE does at its match limit. */
export type Found = {
  readonly kind: 'found';
  readonly groups: readonly (string | undefined)[];
  readonly index: number;
};
export type Outcome = Found | { readonly kind: 'nothing' } | { readonly kind: 'gave up' };

/** Steps of one search: some ten milliseconds. PCRE's own limit is ten times that. */
export const MOST_WORK = 1_000_000;
/** Splits times characters of which is remembered that they lead nowhere: 16 MB. */
const MOST_MEMORY = 4_000_000;
/** What is kept between searches. */
const KEPT_MEMORY = 65_536;

const NOTHING: Outcome = { kind: 'nothing' };
const GAVE_UP: Outcome = { kind: 'gave up' };

/**
 * A backtracking matcher that tries nothing twice: where a split of the program led nowhere at a place in the text, it
 * leads nowhere when another way comes there. So its work grows with the length of the program times that of the text,
 * not exponentially. With references, what follows also depends on what was captured: there it only counts its steps.
 *
 * Some twenty times slower than V8's engine; a pattern comes here when that one could be made to hang.
 *
 * @see Davis, Servant, Lee, "Using Selective Memoization to Defeat Regular Expression Denial of Service", 2021
 */
export class Matcher {
  readonly #program: Program;
  /** By split and place: the run in which they were last seen. */
  #seen = new Uint32Array(0);
  #run = 0;
  #codes = new Uint32Array(0);
  #length = 0;
  #left = 0;
  readonly #slots: Int32Array;
  readonly #stack: number[] = [];

  constructor(program: Program) {
    this.#program = program;
    this.#slots = new Int32Array(program.slots);
  }

  search(text: string): Outcome {
    this.#read(text);
    const memory = this.#program.splits * (this.#length + 1);
    if (this.#program.forgetful) {
      if (memory > MOST_MEMORY) return GAVE_UP;
      if (this.#seen.length < memory || this.#run > 0xf000_0000) {
        this.#seen = new Uint32Array(memory);
        this.#run = 0;
      }
    }
    const outcome = this.#search(text);
    if (this.#seen.length > KEPT_MEMORY) this.#seen = new Uint32Array(0);
    if (this.#stack.length > KEPT_MEMORY) this.#stack.length = 0;
    return outcome;
  }

  #search(text: string): Outcome {
    this.#left = MOST_WORK;
    // One run for all starts: how a place was reached does not matter.
    const run = ++this.#run;
    for (let start = 0; start <= this.#length; start++) {
      this.#slots.fill(-1);
      const end = this.#match(0, start, 0, run);
      if (this.#left < 0) return GAVE_UP;
      if (end !== -1) return this.#found(text);
    }
    return NOTHING;
  }

  /** @returns where a match of what begins at `pc` ends, or -1; what was put on the stack above `base` is gone then */
  #match(from: number, start: number, base: number, run: number): number {
    const { steps, forgetful } = this.#program;
    const codes = this.#codes;
    const stack = this.#stack;
    let pc = from;
    let at = start;
    let top = base;
    for (;;) {
      if (--this.#left < 0) return -1;
      const step = steps[pc] as Step;
      let failed = false;
      switch (step.kind) {
        case 'character': {
          const place = step.back ? at - 1 : at;
          if (place < 0 || place >= this.#length || !step.set.has(codes[place] as number)) failed = true;
          else {
            at = step.back ? place : place + 1;
            pc++;
          }
          break;
        }
        case 'split': {
          if (forgetful) {
            const key = step.number * (this.#length + 1) + at;
            if (this.#seen[key] === run) {
              failed = true;
              break;
            }
            this.#seen[key] = run;
          }
          stack[top++] = at;
          stack[top++] = step.second;
          pc = step.first;
          break;
        }
        case 'jump':
          pc = step.to;
          break;
        case 'save':
          stack[top++] = this.#slots[step.slot] as number;
          stack[top++] = -1 - step.slot;
          this.#slots[step.slot] = at;
          pc++;
          break;
        case 'assertion':
          if (this.#holds(step.where, at)) pc++;
          else failed = true;
          break;
        case 'leave if empty':
          pc = this.#slots[step.slot] === at ? step.to : pc + 1;
          break;
        case 'reference': {
          const next = this.#repeats(step.group, at, step.back);
          if (next === -1) failed = true;
          else {
            at = next;
            pc++;
          }
          break;
        }
        case 'look':
        case 'atomic': {
          const end = this.#match(pc + 1, at, top, ++this.#run);
          if (this.#left < 0) return -1;
          const wrong = step.kind === 'look' && step.negative;
          if (end !== -1) top = wrong ? this.#unwound(top, this.#top) : this.#withoutWays(top, this.#top);
          if ((end === -1) !== wrong) failed = true;
          else {
            if (step.kind === 'atomic') at = end;
            pc = step.to;
          }
          break;
        }
        case 'end':
          this.#top = top;
          return at;
      }
      if (!failed) continue;
      for (;;) {
        if (top === base) return -1;
        const tag = stack[--top] as number;
        const value = stack[--top] as number;
        if (tag >= 0) {
          pc = tag;
          at = value;
          break;
        }
        this.#slots[-1 - tag] = value;
      }
    }
  }

  /** How high the stack was when `#match` found one. */
  #top = 0;

  /** Takes back everything down to `base`. */
  #unwound(base: number, from: number): number {
    for (let top = from; top > base; top -= 2) {
      const tag = this.#stack[top - 1] as number;
      if (tag < 0) this.#slots[-1 - tag] = this.#stack[top - 2] as number;
    }
    return base;
  }

  /** Drops the other ways down to `base`, and keeps what must be put back when all of it fails. */
  #withoutWays(base: number, from: number): number {
    let kept = base;
    for (let at = base; at < from; at += 2) {
      if ((this.#stack[at + 1] as number) >= 0) continue;
      this.#stack[kept++] = this.#stack[at] as number;
      this.#stack[kept++] = this.#stack[at + 1] as number;
    }
    return kept;
  }

  #holds(where: Extract<Step, { kind: 'assertion' }>['where'], at: number): boolean {
    const rest = this.#length - at;
    switch (where) {
      case 'start':
        return at === 0;
      case 'line start':
        return at === 0 || (rest > 0 && this.#codes[at - 1] === NEWLINE);
      case 'end':
        return rest === 0;
      case 'line end':
        return rest === 0 || this.#codes[at] === NEWLINE;
      case 'last line end':
        return rest === 0 || (rest === 1 && this.#codes[at] === NEWLINE);
      case 'boundary':
        return this.#isWord(at - 1) !== this.#isWord(at);
      case 'no boundary':
        return this.#isWord(at - 1) === this.#isWord(at);
    }
  }

  #isWord(at: number): boolean {
    return at >= 0 && at < this.#length && this.#program.word.has(this.#codes[at] as number);
  }

  /** @returns behind what the group holds, -1 when it is not there. A group that took no part is nowhere, as in PCRE. */
  #repeats(group: number, at: number, back: boolean): number {
    const from = this.#slots[group * 2] as number;
    const to = this.#slots[group * 2 + 1] as number;
    if (from === -1 || to === -1 || to < from) return -1;
    const length = to - from;
    const start = back ? at - length : at;
    if (start < 0 || start + length > this.#length) return -1;
    this.#left -= length;
    for (let index = 0; index < length; index++) {
      const one = this.#codes[from + index] as number;
      const other = this.#codes[start + index] as number;
      if (one !== other && !(this.#program.ignoreCase && folded(one) === folded(other))) return -1;
    }
    return back ? start : start + length;
  }

  #read(text: string): void {
    if (this.#codes.length < text.length) this.#codes = new Uint32Array(Math.max(256, text.length));
    let length = 0;
    for (let at = 0; at < text.length; length++) {
      const code = text.codePointAt(at) as number;
      this.#codes[length] = code;
      at += code > 0xffff ? 2 : 1;
    }
    this.#length = length;
  }

  #found(text: string): Outcome {
    const offset = (place: number): number => {
      if (this.#length === text.length) return place;
      let units = 0;
      for (let at = 0; at < place; at++) units += (this.#codes[at] as number) > 0xffff ? 2 : 1;
      return units;
    };
    const groups: (string | undefined)[] = [];
    for (let slot = 0; slot < this.#groupSlots; slot += 2) {
      const from = this.#slots[slot] as number;
      const to = this.#slots[slot + 1] as number;
      groups.push(from === -1 || to === -1 ? undefined : text.slice(offset(from), offset(to)));
    }
    return { kind: 'found', groups, index: offset(this.#slots[0] as number) };
  }

  get #groupSlots(): number {
    return this.#program.groups * 2 + 2;
  }
}

const NEWLINE = 0x0a;

function folded(code: number): string {
  return String.fromCodePoint(code).toLowerCase();
}
