import { ValueError } from '../option.ts';
import type { CharacterSet, CharacterSets } from './character-set.ts';
import { mayBeEmpty, type Node, type PatternTree, some, type Where } from './pattern-tree.ts';

/** What the matcher does at one place of the program. */
export type Step =
  /** Takes one character, the one before the position when `back`. */
  | { readonly kind: 'character'; readonly set: CharacterSet; readonly back: boolean }
  /** Goes on at `first`, and at `second` if that leads nowhere. `number` counts the splits. */
  | { readonly kind: 'split'; first: number; second: number; readonly number: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'save'; readonly slot: number }
  | { readonly kind: 'assertion'; readonly where: Where }
  /** What is behind it, up to an `end`, is matched alone; then it goes on at `to`. */
  | { readonly kind: 'look'; readonly negative: boolean; to: number }
  | { readonly kind: 'atomic'; to: number }
  | { readonly kind: 'reference'; readonly group: number; readonly back: boolean }
  /** Leaves a loop whose last turn took nothing. */
  | { readonly kind: 'leave if empty'; readonly slot: number; to: number }
  | { readonly kind: 'end' };

export interface Program {
  readonly steps: readonly Step[];
  readonly splits: number;
  readonly groups: number;
  /** Two for each group, from group 0 on, then those of loops. */
  readonly slots: number;
  /** Whether what follows a place in program and text depends on these two alone. */
  readonly forgetful: boolean;
  readonly ignoreCase: boolean;
  readonly word: CharacterSet;
}

/** PCRE has such a limit too: repetitions are written out. */
export const MOST_STEPS = 20_000;

/** @throws ValueError when the program would be too long */
export function programOf(tree: PatternTree, sets: CharacterSets): Program {
  const writer = new Writer(tree, sets);
  writer.whole();
  return {
    steps: writer.steps,
    splits: writer.splits,
    groups: tree.groups,
    slots: writer.slots,
    forgetful: writer.forgetful,
    ignoreCase: tree.ignoreCase,
    word: sets.get('\\w'),
  };
}

class Writer {
  readonly steps: Step[] = [];
  splits = 0;
  slots: number;
  readonly forgetful: boolean;
  readonly #root: Node;
  readonly #sets: CharacterSets;

  constructor(tree: PatternTree, sets: CharacterSets) {
    this.#root = tree.root;
    this.#sets = sets;
    this.slots = 2 * (tree.groups + 1);
    this.forgetful = !some(tree.root, (node) => node.kind === 'reference');
  }

  whole(): void {
    this.#group(0, this.#root, false);
    this.#add({ kind: 'end' });
  }

  /** @param back inside a lookbehind, where everything is matched from its end to its beginning */
  #node(node: Node, back: boolean): void {
    switch (node.kind) {
      case 'character':
        this.#add({ kind: 'character', set: this.#sets.get(node.source), back });
        return;
      case 'assertion':
        this.#add({ kind: 'assertion', where: node.where });
        return;
      case 'sequence':
        for (const item of back ? node.items.toReversed() : node.items) this.#node(item, back);
        return;
      case 'choice':
        return this.#choice(node.options, back);
      case 'group':
        return node.number === undefined ? this.#node(node.body, back) : this.#group(node.number, node.body, back);
      case 'atomic':
      case 'look':
        return this.#alone(node, back);
      case 'repeat':
        return this.#repeat(node, back);
      case 'reference':
        this.#add({ kind: 'reference', group: node.group, back });
        return;
    }
  }

  #group(number: number, body: Node, back: boolean): void {
    this.#add({ kind: 'save', slot: number * 2 + (back ? 1 : 0) });
    this.#node(body, back);
    this.#add({ kind: 'save', slot: number * 2 + (back ? 0 : 1) });
  }

  #choice(options: readonly Node[], back: boolean): void {
    const jumps: { to: number }[] = [];
    for (const [index, option] of options.entries()) {
      if (index === options.length - 1) {
        this.#node(option, back);
        break;
      }
      const split = this.#split();
      split.first = this.steps.length;
      this.#node(option, back);
      jumps.push(this.#add({ kind: 'jump', to: 0 }));
      split.second = this.steps.length;
    }
    for (const jump of jumps) jump.to = this.steps.length;
  }

  #alone(node: Extract<Node, { kind: 'atomic' | 'look' }>, back: boolean): void {
    const step =
      node.kind === 'atomic'
        ? this.#add({ kind: 'atomic', to: 0 })
        : this.#add({ kind: 'look', negative: node.negative, to: 0 });
    this.#node(node.body, node.kind === 'look' ? !node.ahead : back);
    this.#add({ kind: 'end' });
    step.to = this.steps.length;
  }

  #repeat({ body, least, most, lazy }: Extract<Node, { kind: 'repeat' }>, back: boolean): void {
    for (let turn = 0; turn < least; turn++) this.#node(body, back);
    const exits: (() => void)[] = [];
    const again = (): void => {
      const split = this.#split();
      if (lazy) {
        exits.push(() => void (split.first = this.steps.length));
        split.second = this.steps.length;
      } else {
        exits.push(() => void (split.second = this.steps.length));
        split.first = this.steps.length;
      }
    };
    if (most === Number.POSITIVE_INFINITY) {
      const top = this.steps.length;
      again();
      const slot = mayBeEmpty(body) ? this.slots++ : undefined;
      if (slot !== undefined) this.#add({ kind: 'save', slot });
      this.#node(body, back);
      if (slot !== undefined) {
        const leave = this.#add({ kind: 'leave if empty', slot, to: 0 });
        exits.push(() => void (leave.to = this.steps.length));
      }
      this.#add({ kind: 'jump', to: top });
    } else {
      for (let turn = least; turn < most; turn++) {
        again();
        this.#node(body, back);
      }
    }
    for (const exit of exits) exit();
  }

  #split(): Extract<Step, { kind: 'split' }> {
    return this.#add({ kind: 'split', first: 0, second: 0, number: this.splits++ });
  }

  #add<T extends Step>(step: T): T {
    if (this.steps.length >= MOST_STEPS)
      throw new ValueError(`a regular expression of at most ${MOST_STEPS} parts, its repetitions written out`);
    this.steps.push(step);
    return step;
  }
}
