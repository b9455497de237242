import type { Millis } from '../base/index.ts';
import type { ConnectionTimeouts } from './connection-settings.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** How long a connection by ECStream waits, and for what; times on the clock's scale. */
export class StreamPatience {
  readonly #timeouts: ConnectionTimeouts;
  /** Connection, handshake, WELCOME and the first opening of the window. */
  readonly standDue: number;
  /** When the peer last told what became of something. */
  #answeredAt: Millis;
  #idleSince: Millis | undefined;
  #shutSince: Millis | undefined;

  constructor(timeouts: ConnectionTimeouts, openedAt: Millis) {
    this.#timeouts = timeouts;
    this.standDue = openedAt + timeouts.connect;
    this.#answeredAt = openedAt;
  }

  get idle(): boolean {
    return this.#idleSince !== undefined;
  }

  answered(now: Millis): void {
    this.#answeredAt = now;
  }

  /** There is nothing to send, and nothing under way. */
  rests(now: Millis): void {
    this.#idleSince ??= now;
  }

  works(): void {
    this.#idleSince = undefined;
  }

  /** @param shut the peer takes nothing more, and nothing is under way */
  window(shut: boolean, now: Millis): void {
    this.#shutSince = shut ? (this.#shutSince ?? now) : undefined;
  }

  /**
   * @param sentAt of the oldest message; whatever else the peer says, that one has to be answered
   * @param stuckSince the peer takes no more of a body
   */
  answerDue(sentAt: Millis | undefined, stuckSince: Millis | undefined): number {
    const { response, body } = this.#timeouts;
    const answer = sentAt === undefined ? NEVER : Math.max(sentAt, this.#answeredAt) + response;
    return stuckSince === undefined ? answer : Math.min(answer, stuckSince + body);
  }

  /** When a connection that is of no use goes. */
  get leaveDue(): number {
    const { connect, idle } = this.#timeouts;
    if (this.#shutSince !== undefined) return this.#shutSince + connect;
    return this.#idleSince === undefined ? NEVER : this.#idleSince + idle;
  }
}
