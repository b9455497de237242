import type { Segments } from '../base/index.ts';
import type { BodyTraits } from './message.ts';

/** A lease: while it is held, the bytes stay. Nobody keeps a body without one. */
export interface BodyHold extends Disposable {
  readonly length: number;
  readonly traits: BodyTraits;
  /**
   * The next slice, from memory or disk, at most about `most` bytes; undefined at the end. A promise only when the disk
   * must be asked; it rejects with a SpoolError when the body is damaged or gone.
   */
  next(most: number): Segments | Promise<Segments> | undefined;
  /** Starts again at the first byte. */
  rewind(): void;
}
