import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import type { Sources } from '../files/sources.ts';
import type { Place } from '../option.ts';
import type { Schema } from '../schema/schema.ts';
import type { Door } from './doors.ts';

/** A configuration that is valid, as the rules look at it. */
export interface Subject {
  readonly generation: CompiledGeneration;
  readonly schema: Schema;
  /** The open doors of a kind of listener: `esmtp_listener`. */
  doors(listener: string): readonly Door[];
  /** What the files say, before merging: what a later value has replaced is here only. */
  readonly sources: Pick<Sources, 'items' | 'included'>;
}

/** One place that a rule does not like. */
export interface Finding {
  readonly place: Place;
  /** What is wrong and what it leads to, without a full stop. */
  readonly text: string;
  /** What to write instead, where that is known. */
  readonly suggestion?: string;
}

/** One thing that is legal, and most likely not what was meant. Documented under its id in docs/checking.md. */
export interface LintRule {
  readonly id: string;
  /** What it looks for, in a line. */
  readonly summary: string;
  find(subject: Subject): Iterable<Finding>;
}
