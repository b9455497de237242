/** A PCRE pattern that was understood: what the engines are made from. */
export interface PatternTree {
  readonly root: Node;
  readonly ignoreCase: boolean;
  /** Capturing groups; they count from 1. */
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

export type Node =
  /** One character: a JavaScript source with the flag u that matches exactly one code point. */
  | { readonly kind: 'character'; readonly source: string }
  | { readonly kind: 'assertion'; readonly where: Where }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  /** `number` is undefined for a group that captures nothing. */
  | { readonly kind: 'group'; readonly number: number | undefined; readonly body: Node }
  /** Gives nothing back once it has matched. */
  | { readonly kind: 'atomic'; readonly body: Node }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negative: boolean; readonly body: Node }
  /** `most` may be Infinity. */
  | {
      readonly kind: 'repeat';
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
      readonly body: Node;
    }
  | { readonly kind: 'reference'; readonly group: number };

/** `line start` and `line end` are those of (?m); `last line end` is PCRE's `$`, also before a newline at the very end. */
export type Where = 'start' | 'line start' | 'end' | 'line end' | 'last line end' | 'boundary' | 'no boundary';

/** @returns whether something in the tree, or the node itself, is so */
export function some(node: Node, so: (node: Node) => boolean): boolean {
  return so(node) || parts(node).some((part) => some(part, so));
}

/** @returns whether a match may take no character at all */
export function mayBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case 'character':
      return false;
    case 'choice':
      return node.options.some(mayBeEmpty);
    case 'repeat':
      return node.least === 0 || mayBeEmpty(node.body);
    case 'look':
    case 'assertion':
    case 'reference':
      return true;
    case 'sequence':
    case 'group':
    case 'atomic':
      return parts(node).every(mayBeEmpty);
  }
}

/** @returns whether a loop in it may take a turn in which it takes nothing: PCRE and JavaScript go on differently then */
export function emptyTurns(node: Node): boolean {
  return some(node, (each) => each.kind === 'repeat' && mayBeEmpty(each.body));
}

/** @returns whether a group captures inside a loop: JavaScript forgets at each turn what it held, PCRE keeps it */
export function capturesInLoop(node: Node): boolean {
  return some(
    node,
    (each) => each.kind === 'repeat' && some(each, (inner) => inner.kind === 'group' && inner.number !== undefined),
  );
}

export function parts(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'sequence':
      return node.items;
    case 'choice':
      return node.options;
    case 'group':
    case 'atomic':
    case 'look':
    case 'repeat':
      return [node.body];
    default:
      return [];
  }
}

/** @returns how many parts a node has when its repetitions are written out */
export function written(node: Node): number {
  const inner = parts(node).reduce((sum, part) => sum + written(part), 0);
  if (node.kind !== 'repeat') return inner + 2;
  const { least, most } = node;
  return (most === Number.POSITIVE_INFINITY ? least + 1 : Math.max(1, most)) * (inner + 2) + 2;
}

/** @returns how deep lookarounds and atomic groups stand inside each other */
export function nestedAlone(node: Node): number {
  const inner = parts(node).reduce((most, part) => Math.max(most, nestedAlone(part)), 0);
  return inner + (node.kind === 'atomic' || node.kind === 'look' ? 1 : 0);
}
