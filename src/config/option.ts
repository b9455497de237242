import type { ValueShape } from './shape.ts';

/** One setting as code sees it. Rooms declare the options they read; the catalogue says where they may stand. */
export interface Option<T> {
  /** As in the manual, lower case: `max_outbound_connections`. */
  readonly name: string;
  /** Its place in every View. */
  readonly slot: number;
  /** Scopes in which it may be set, lower case. */
  readonly scopes: readonly string[];
  /** The built-in default. */
  readonly initial: T;
  /** Defaults that hold in one kind of scope only: a host has no limit where a domain has 32. */
  readonly initials: ReadonlyMap<string, T>;
  readonly type: ValueType<T>;
  /** False: a change is kept, and used after the next start. */
  readonly dynamic: boolean;
  readonly summary: string;
  /** Scopes in which it may stand and nobody reads it yet: the check says so. That of a listener holds for its Listen and Peer too. */
  readonly unservedIn?: readonly string[];
  /** It is read in the Listen and Peer of every listener, also of those in which it may not stand. */
  readonly ofEveryListener?: boolean;
  /** It is about the socket and not about its sessions: whoever has a session does not see a change. */
  readonly ofSocket?: boolean;
}

/** A value as written: still text, with the place it stands at. */
export type RawValue =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean; readonly at: Place }
  | {
      readonly kind: 'array';
      readonly items: readonly { readonly text: string; readonly at: Place }[];
      readonly at: Place;
    }
  | {
      readonly kind: 'dictionary';
      readonly entries: readonly { readonly key: string; readonly value: RawValue; readonly at: Place }[];
      readonly at: Place;
    };

/** Where something stands. Line and column count from 1; a column is a UTF-16 code unit. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** How text becomes a value. `read` throws a ValueError with what was expected. */
export interface ValueType<T> {
  /** For messages and the schema: `integer`, `duration in seconds`, `one of no, ifavailable, required`. */
  readonly title: string;
  /** For programs; without one the shape of the catalogue's row is told. */
  readonly shape?: ValueShape;
  /** Values as they may stand in a file, where those of its shape would not do. */
  readonly examples?: readonly string[];
  /** `T` includes undefined, so that an option without a default needs none. */
  readonly absent?: true;
  read(raw: RawValue, host?: PatternHost): T;
  /** Parts of a value that are accepted and change nothing yet, each in words: the check names them. */
  unserved?(raw: RawValue): readonly string[];
}

/** What regular expressions need of the house they work in. */
export interface PatternHost {
  /** Milliseconds, on a scale that only grows. */
  now(): number;
  /** A sentence for the operator. */
  tell(text: string): void;
}

/** The message says what was expected, for `expected …`; a type adds why only where the title does not say it. */
export class ValueError extends Error {}
