import type { Option, Place, RawValue, ValueType } from '../option.ts';
import { catalogue, type OptionRow } from './catalogue.ts';

/**
 * Declares an option that Momentum has. Its scopes and default come from the catalogue.
 *
 * @param name as in the manual, lower case
 * @param type its default is read with it too; `optional(…)` when there is none
 * @param ours `scope` picks one of several options of that name, by any scope it may stand in (without it the one that
 *   stands outside of module stanzas is meant, if there is one); `initial` is a default of
 *   our own and `dynamic` says that we apply changes at run time, each documented where it is used
 * @throws Error when the catalogue and the declaration do not fit: a mistake of ours
 */
export function option<T>(
  name: string,
  type: ValueType<T>,
  ours: {
    readonly scope?: string;
    readonly initial?: T;
    readonly dynamic?: boolean;
    readonly summary?: string;
    readonly unservedIn?: readonly string[];
    readonly ofEveryListener?: boolean;
    readonly ofSocket?: boolean;
  } = {},
): Option<T> {
  const named = catalogue.options.filter(
    (row) => row.name === name && (ours.scope === undefined || row.scopes.includes(ours.scope)),
  );
  const outside = named.filter((row) =>
    row.scopes.some((scope) => !catalogue.modules.some((module) => module.name === scope)),
  );
  const rows = outside.length === 1 ? outside : named;
  const [row] = rows;
  if (!row)
    throw new Error(
      `the catalogue has no option ${name}${ours.scope === undefined ? '' : ` in ${ours.scope}`}: use ownOption`,
    );
  if (rows.length > 1) {
    throw new Error(
      `there are ${rows.length} options ${name}: name a scope, one of ${rows.map((each) => each.scopes[0]).join(', ')}`,
    );
  }
  return {
    name,
    slot: nextSlot(),
    scopes: row.scopes,
    initial: 'initial' in ours ? (ours.initial as T) : defaultOf(row, type),
    initials: new Map(Object.entries(row.defaults ?? {}).map(([scope, value]) => [scope, type.read(rawOf(value))])),
    type,
    ...(ours.unservedIn === undefined ? {} : { unservedIn: ours.unservedIn }),
    ...(ours.ofEveryListener === undefined ? {} : { ofEveryListener: ours.ofEveryListener }),
    ...(ours.ofSocket === undefined ? {} : { ofSocket: ours.ofSocket }),
    dynamic: ours.dynamic ?? row.dynamic !== false,
    summary: ours.summary ?? row.summary ?? '',
  };
}

/** Declares an option that Momentum does not have. */
export function ownOption<T>(
  name: string,
  type: ValueType<T>,
  own: {
    readonly scopes: readonly string[];
    readonly initial: T;
    readonly dynamic?: boolean;
    readonly summary: string;
    readonly ofEveryListener?: boolean;
    readonly ofSocket?: boolean;
  },
): Option<T> {
  if (name !== name.toLowerCase()) throw new Error(`an option is declared in lower case: ${name}`);
  const clash = catalogue.options.find(
    (row) => row.name === name && row.scopes.some((scope) => own.scopes.includes(scope)),
  );
  if (clash) throw new Error(`${name} is an option of the catalogue: use option`);
  return {
    name,
    slot: nextSlot(),
    scopes: own.scopes,
    initial: own.initial,
    initials: new Map(),
    type,
    ...(own.ofEveryListener === undefined ? {} : { ofEveryListener: own.ofEveryListener }),
    ...(own.ofSocket === undefined ? {} : { ofSocket: own.ofSocket }),
    dynamic: own.dynamic ?? true,
    summary: own.summary,
  };
}

/** A default of the catalogue as if it stood in a file. */
export function rawOf(value: unknown): RawValue {
  const at = BUILT_IN;
  if (Array.isArray(value)) return { kind: 'array', items: value.map((item) => ({ text: String(item), at })), at };
  return { kind: 'text', text: String(value), quoted: typeof value === 'string', at };
}

/** Where values stand that no file has set. */
export const BUILT_IN: Place = { file: '(built in)', line: 1, column: 1 };

function defaultOf<T>(row: OptionRow, type: ValueType<T>): T {
  if (row.default !== undefined) return type.read(rawOf(row.default));
  // `absent` says that T includes undefined.
  if (type.absent) return undefined as T;
  throw new Error(`${row.name} has no default: declare it as optional(…) or give it an initial value`);
}

const nextSlot = counter();

/**
 * The one number in this program that outlives a call without belonging to a world. Nothing can tell which value it
 * has: a slot only says which of two options is meant, is never stored, printed or compared by size, and gaps cost
 * nothing. Handing an allocator to every declaration would say less in more words.
 */
function counter(): () => number {
  let next = 0;
  return () => next++;
}
