import type { Generation, StanzaId, View } from '../live/generation.ts';
import type { Option, RawValue } from '../option.ts';
import { valueText } from '../text/print.ts';

/** A value with the stanza it comes from. Shared by all views that see it. */
export interface Cell {
  readonly slot: number;
  readonly value: unknown;
  readonly owner: StanzaId;
  /** As written; undefined for a built-in default. */
  readonly raw: RawValue | undefined;
  /** Nobody who has a session sees it change (`Option.ofSocket`). */
  readonly ofSocket: boolean;
}

/**
 * Cells by slot, in pages of 16 that views share: a view that differs from its base in one option has one page and the
 * list of pages to itself. With 150 options that is 200 bytes instead of 1200, for each of a hundred thousand domains.
 */
export type Pages = readonly (readonly (Cell | undefined)[])[];

const PAGE_BITS = 4;
const PAGE_MASK = (1 << PAGE_BITS) - 1;

/** @returns pages with these cells over those of `base`; later cells win */
export function withCells(base: Pages, cells: Iterable<Cell>): Pages {
  const pages = base.slice();
  const copied = new Set<number>();
  for (const cell of cells) {
    const index = cell.slot >> PAGE_BITS;
    let page = pages[index] as (Cell | undefined)[] | undefined;
    if (!page || !copied.has(index)) {
      page = page ? page.slice() : new Array<Cell | undefined>(PAGE_MASK + 1).fill(undefined);
      while (pages.length < index) pages.push([]);
      pages[index] = page;
      copied.add(index);
    }
    page[cell.slot & PAGE_MASK] = cell;
  }
  return pages;
}

/** Asks the next generation whether what a view shows has stayed. */
export type Compare = (view: PagedView, next: Generation) => boolean;

export class PagedView implements View {
  readonly generation: number;
  readonly pages: Pages;
  readonly #compare: Compare;
  #compared: Generation | undefined;
  #same = true;

  constructor(generation: number, pages: Pages, compare: Compare) {
    this.generation = generation;
    this.pages = pages;
    this.#compare = compare;
  }

  get<T>(option: Option<T>): T {
    // The cell was read with the type of the option that owns the slot.
    return this.cell(option).value as T;
  }

  owner(option: Option<unknown>): StanzaId {
    return this.cell(option).owner;
  }

  at(slot: number): Cell | undefined {
    return this.pages[slot >> PAGE_BITS]?.[slot & PAGE_MASK];
  }

  cell(option: Option<unknown>): Cell {
    const cell = this.at(option.slot);
    if (cell === undefined)
      throw new Error(`the option ${option.name} is not among those declared to loadConfiguration`);
    return cell;
  }

  sameIn(next: Generation): boolean {
    if (next.number === this.generation) return true;
    if (this.#compared !== next) {
      this.#compared = next;
      this.#same = this.#compare(this, next);
    }
    return this.#same;
  }
}

/** @returns whether two sets of pages show the same values, whoever set them */
export function samePages(one: Pages, other: Pages): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) {
    const left = one[index];
    const right = other[index];
    if (left === right || !left || !right) continue;
    for (let at = 0; at <= PAGE_MASK; at++) if (!sameCell(left[at], right[at])) return false;
  }
  return true;
}

/** Simple values are compared as such, so `5m` is 300; others by their text; those of sockets not at all. */
export function sameCell(one: Cell | undefined, other: Cell | undefined): boolean {
  if (one === other) return true;
  if (!one || !other) return false;
  if (one.ofSocket) return true;
  if (Object.is(one.value, other.value)) return true;
  return one.raw !== undefined && sameRaw(one.raw, other.raw);
}

export function sameRaw(one: RawValue | undefined, other: RawValue | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && valueText(one) === valueText(other));
}
