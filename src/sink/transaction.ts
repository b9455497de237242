import { joined, type Millis, millis } from '../base/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import type { Action } from './action.ts';
import { MOST_HEADER_BYTES } from './recent.ts';

/** RFC 5321 §4.5.3.1.8 asks for a hundred at least. */
export const MOST_RECIPIENTS = 1000;

export interface Recipient {
  readonly path: string;
  /** Lower case; empty for `postmaster` alone. */
  readonly domain: string;
  readonly action: Action;
}

/** What becomes of a transaction after its dot: the reply, or none when the connection is dropped. */
export interface Judgement {
  readonly verdict: 'accepted' | 'deferred' | 'refused' | 'dropped';
  readonly reply: Reply;
  readonly delay: Millis;
}

const DROPPED = reply(421, '4.4.2', 'dropped');

/** A mail transaction: from MAIL to the reply to its dot, or to whatever ends it sooner. */
export class Transaction {
  readonly reversePath: string;
  readonly recipients: Recipient[] = [];
  bytes = 0;
  /** Hangs up as soon as text comes. */
  dropsText = false;
  /** The whole text, when it is to be kept. */
  readonly body: Uint8Array[] = [];
  readonly #keep: boolean;
  readonly #most: number;
  /** Views of the first bytes: the header is in them. */
  readonly #start: Uint8Array[] = [];

  /**
   * @param keep  the whole text is wanted afterwards
   * @param most  bytes of text beyond which nothing more is kept
   */
  constructor(reversePath: string, keep: boolean, most: number) {
    this.reversePath = reversePath;
    this.#keep = keep;
    this.#most = most;
  }

  add(recipient: Recipient): void {
    this.recipients.push(recipient);
    if (recipient.action.behaviour === 'drop' && recipient.action.stage === 'data') this.dropsText = true;
  }

  take(views: readonly Uint8Array[]): void {
    for (const view of views) {
      if (this.bytes < MOST_HEADER_BYTES) this.#start.push(view);
      this.bytes += view.length;
      if (!this.#keep) continue;
      if (this.bytes <= this.#most) this.body.push(view);
      else this.body.length = 0;
    }
  }

  /** The header as far as it lies in the first bytes, in a buffer of its own that pins nothing else. */
  header(): Uint8Array {
    const first = this.#start[0];
    const start =
      this.#start.length === 1 && first !== undefined
        ? Buffer.from(first.buffer, first.byteOffset, first.length)
        : joined(this.#start);
    const end = start.indexOf('\r\n\r\n');
    return Uint8Array.prototype.slice.call(start, 0, Math.min(end === -1 ? start.length : end + 2, MOST_HEADER_BYTES));
  }

  /** One reply stands for all recipients: the worst that one of them asks for. */
  judge(accepted: Reply): Judgement {
    let delay = 0;
    let worst: Action | undefined;
    for (const { action } of this.recipients) {
      if (action.behaviour === 'slow' && action.stage !== 'rcpt') delay = Math.max(delay, action.delay);
      if (action.stage === 'dot' && weight(action) > weight(worst)) worst = action;
    }
    switch (worst?.behaviour) {
      case 'drop':
        return { verdict: 'dropped', reply: DROPPED, delay: millis(delay) };
      case 'refuse':
        return { verdict: 'refused', reply: worst.reply, delay: millis(delay) };
      case 'defer':
        return { verdict: 'deferred', reply: worst.reply, delay: millis(delay) };
      default:
        return { verdict: 'accepted', reply: accepted, delay: millis(delay) };
    }
  }
}

function weight(action: Action | undefined): number {
  switch (action?.behaviour) {
    case 'drop':
      return 3;
    case 'refuse':
      return 2;
    case 'defer':
      return 1;
    default:
      return 0;
  }
}
