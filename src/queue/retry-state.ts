import type { Millis } from '../base/index.ts';
import type { Decided } from './outcome.ts';

/** What a restart must know of one recipient that has been tried, or that has failed already. */
export interface RetryState {
  readonly recipient: number;
  readonly retries: number;
  /** Milliseconds since the epoch. */
  readonly nextAttempt: Millis;
  readonly decided?: Decided | undefined;
}

/** Bytes of one entry: recipient u32, retries u16, next attempt f64, all little-endian. */
const ENTRY = 14;
/**
 * Stands in place of a recipient in front of the decisions, which follow as JSON: `[recipient, decided]` each. Older
 * versions take what follows for entries of recipients beyond any envelope.
 */
const DECISIONS = 0xffff_ffff;

/** The spool's state record of a reception: one entry for each recipient of which there is something to be known. */
export function writeRetryState(states: readonly RetryState[]): Uint8Array {
  const decisions = states.flatMap(({ recipient, decided }) =>
    decided === undefined ? [] : [[recipient, decisionOf(decided)] as const],
  );
  const text = Buffer.from(decisions.length === 0 ? '' : JSON.stringify(decisions));
  const bytes = new Uint8Array((states.length + (decisions.length === 0 ? 0 : 1)) * ENTRY + text.length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const state of states) {
    view.setUint32(at, state.recipient, true);
    view.setUint16(at + 4, Math.min(state.retries, 0xffff), true);
    view.setFloat64(at + 6, state.nextAttempt, true);
    at += ENTRY;
  }
  if (decisions.length === 0) return bytes;
  view.setUint32(at, DECISIONS, true);
  view.setFloat64(at + 6, Number.NaN, true);
  bytes.set(text, at + ENTRY);
  return bytes;
}

/** @returns the entries; what is cut off or makes no sense is left out: the message is then merely tried early */
export function readRetryState(bytes: Uint8Array): readonly RetryState[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const states: RetryState[] = [];
  for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
    const recipient = view.getUint32(at, true);
    if (recipient === DECISIONS) return withDecisions(states, bytes.subarray(at + ENTRY));
    const nextAttempt = view.getFloat64(at + 6, true);
    if (!Number.isFinite(nextAttempt)) continue;
    states.push({ recipient, retries: view.getUint16(at + 4, true), nextAttempt: nextAttempt as Millis });
  }
  return states;
}

/** Without what a verdict knows besides. */
const decisionOf = ({ said, expired, quiet }: Decided): Decided => ({ said, expired, quiet });

function withDecisions(states: readonly RetryState[], text: Uint8Array): readonly RetryState[] {
  try {
    const decisions = new Map(JSON.parse(Buffer.from(text).toString()) as readonly (readonly [number, Decided])[]);
    return states.map((state) => {
      const decided = decisions.get(state.recipient);
      return decided === undefined ? state : { ...state, decided };
    });
  } catch {
    return states;
  }
}
