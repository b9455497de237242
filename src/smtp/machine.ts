import type { Millis, Segments } from '../base/index.ts';

/**
 * A protocol without I/O. One driver joins any machine to any pipe: it feeds bytes, drains events, answers those that
 * want a word, sends what `take()` gives, and wakes the machine at its deadline. The machine never waits, never calls
 * back, never reads a clock.
 */
export interface Machine<Event, Word> {
  receive(chunk: Uint8Array, now: Millis): void;
  /** Bytes held and not yet turned into events: the driver pauses the pipe above its limit. */
  readonly buffered: number;
  next(): Event | undefined;
  /** Why `next()` had nothing. */
  readonly waits: 'bytes' | 'word';
  /** Answers the event of that turn; a stale turn is ignored, since policy may answer late. */
  say(turn: number, word: Word, now: Millis): void;
  /** Bytes to send; empty when there are none. */
  take(): Segments;
  readonly deadline: Millis | undefined;
  expire(now: Millis): void;
}
