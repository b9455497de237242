import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import { type Cell, type PagedView, sameCell } from '../fallback/view.ts';
import type { Effects } from '../live/effects.ts';
import type { Option } from '../option.ts';
import type { OptionEntry, Schema } from '../schema/schema.ts';
import { quote, valueText } from '../text/print.ts';
import { defaultText } from './actions.ts';

/** Pairs that a plan lists. */
export const MOST_PAIRS = 50;

/** Between two of these others have their turn. */
const PAIRS_PER_TURN = 1000;

/** A pair of binding and routing domain that would see other values. */
export interface MovedPair {
  /** As commands take it. */
  readonly where: string;
  readonly messages: number;
  readonly changes: readonly Change[];
}

export interface Change {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface MovedPairs {
  /** The fullest first. */
  readonly moved: readonly MovedPair[];
  /** How many pairs there are at all. */
  readonly known: number;
  /** Bindings that are in `live` and not in `next`, with the messages that wait for them. */
  readonly gone: ReadonlyMap<string, number>;
}

/** Which pairs would see other values in `next`. */
export async function movedPairs(
  schema: Schema,
  effects: Effects,
  live: CompiledGeneration,
  next: CompiledGeneration,
): Promise<MovedPairs> {
  const gone = goneBindings(live, next);
  const options = sendingOptions(schema);
  const seen = new Map<PagedView, Map<PagedView, readonly Change[]>>();
  const moved: MovedPair[] = [];
  let known = 0;
  for (const { binding, domain, messages } of effects.pairs()) {
    if (++known % PAIRS_PER_TURN === 0) await effects.turn();
    const left = gone.get(binding);
    if (left !== undefined) gone.set(binding, left + messages);
    const before = live.sending(live.groupOf(binding), binding, domain);
    const after = next.sending(next.groupOf(binding), binding, domain);
    let from = seen.get(before);
    if (!from) seen.set(before, (from = new Map()));
    let changes = from.get(after);
    if (!changes) from.set(after, (changes = compare(options, before, after)));
    if (changes.length > 0)
      moved.push({ where: `Binding ${quote(binding)} Domain ${quote(domain)}`, messages, changes });
  }
  moved.sort((one, other) => other.messages - one.messages || (one.where < other.where ? -1 : 1));
  return { known, moved, gone };
}

function goneBindings(live: CompiledGeneration, next: CompiledGeneration): Map<string, number> {
  const kept = new Set(next.bindings().map(({ name }) => name));
  return new Map(live.bindings().flatMap(({ name }) => (kept.has(name) ? [] : [[name, 0]])));
}

interface Sending {
  readonly option: Option<unknown>;
  readonly entry: OptionEntry;
}

function sendingOptions(schema: Schema): readonly Sending[] {
  const byName = new Map<string, Sending>();
  for (const option of schema.declared) {
    const scope = SENDING.find((each) => option.scopes.includes(each));
    const entry = scope === undefined ? undefined : schema.option(scope, option.name);
    if (entry && !byName.has(option.name)) byName.set(option.name, { option, entry });
  }
  return [...byName.values()].sort((one, other) => (one.option.name < other.option.name ? -1 : 1));
}

const SENDING = ['domain', 'binding', 'binding_group'] as const;

function compare(options: readonly Sending[], before: PagedView, after: PagedView): readonly Change[] {
  return options.flatMap(({ option, entry }) => {
    const from = before.cell(option);
    const to = after.cell(option);
    if (sameCell(from, to)) return [];
    const change = { name: option.name, from: textOf(from, entry), to: textOf(to, entry) };
    // A default that somebody has written into a file is no other value.
    return change.from === change.to ? [] : [change];
  });
}

const textOf = ({ raw }: Cell, entry: OptionEntry): string =>
  raw ? valueText(raw) : (defaultText(entry, 'global') ?? 'none');
