import type { Millis } from '../base/index.ts';

/** What a restart must know of one recipient that has been tried. */
export interface RetryState {
  readonly recipient: number;
  readonly retries: number;
  /** Milliseconds since the epoch. */
  readonly nextAttempt: Millis;
}

/** Bytes of one entry: recipient u32, retries u16, next attempt f64, all little-endian. */
const ENTRY = 14;

/** The spool's state record of a reception: one entry for each recipient that has been tried and is not finished. */
export function writeRetryState(states: readonly RetryState[]): Uint8Array {
  const bytes = new Uint8Array(states.length * ENTRY);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const state of states) {
    view.setUint32(at, state.recipient, true);
    view.setUint16(at + 4, Math.min(state.retries, 0xffff), true);
    view.setFloat64(at + 6, state.nextAttempt, true);
    at += ENTRY;
  }
  return bytes;
}

/** @returns the entries; what is cut off or makes no sense is left out: the message is then merely tried early */
export function readRetryState(bytes: Uint8Array): readonly RetryState[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const states: RetryState[] = [];
  for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
    const nextAttempt = view.getFloat64(at + 6, true);
    if (!Number.isFinite(nextAttempt)) continue;
    states.push({
      recipient: view.getUint32(at, true),
      retries: view.getUint16(at + 4, true),
      nextAttempt: nextAttempt as Millis,
    });
  }
  return states;
}
