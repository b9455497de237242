import type { Place, RawValue } from '../option.ts';

/** What a file says, in its order. Names keep their spelling. */
export type Item = OptionItem | StanzaItem | IncludeItem;

export interface OptionItem {
  readonly kind: 'option';
  readonly name: string;
  readonly at: Place;
  readonly value: RawValue;
}

export interface StanzaItem {
  readonly kind: 'stanza';
  readonly name: string;
  readonly at: Place;
  readonly instance: string | undefined;
  readonly items: readonly Item[];
}

export interface IncludeItem {
  readonly kind: 'include';
  readonly readOnly: boolean;
  readonly path: string;
  readonly at: Place;
}

/** Named limits of spec: repetition, merging, includes. */
export const LIMITS = {
  nesting: 32,
  includeDepth: 16,
  fileBytes: 64 * 1024 * 1024,
  items: 2_000_000,
  errors: 10_000,
} as const;

/** Counts the items of all files together. */
export interface Budget {
  items: number;
}
