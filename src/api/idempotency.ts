import { createHash } from 'node:crypto';
import type { Acceptance, Acceptances, Ticket } from '../generation/index.ts';
import { type Answer, refusal } from '../http/index.ts';

export const LONGEST_KEY = 255;

interface Busy {
  readonly request: string;
  readonly answer: Promise<Answer>;
}

/**
 * `Idempotency-Key`: a request that comes again is answered as it was, and not served twice. What was taken is known for a
 * day, also after a restart; refusals are not remembered, so that a request may be mended and sent again.
 */
export class Idempotency {
  readonly #acceptances: Pick<Acceptances, 'find' | 'complete'>;
  /** Under way now. */
  readonly #busy = new Map<string, Busy>();

  constructor(acceptances: Pick<Acceptances, 'find' | 'complete'>) {
    this.#acceptances = acceptances;
  }

  /**
   * @param whose who sends it: keys of others are others
   * @param again the answer to a request that was taken before
   * @throws KeyValueError
   */
  async once(
    key: string | undefined,
    whose: string,
    body: unknown,
    serve: (ticket: Ticket | undefined) => Promise<Answer>,
    again: (acceptance: Acceptance) => Answer,
  ): Promise<Answer> {
    if (key === undefined) return serve(undefined);
    if (key.length > LONGEST_KEY || !/^[\x21-\x7e][\x20-\x7e]*$/.test(key))
      return refusal('1200', `Idempotency-Key has 1 to ${LONGEST_KEY} printable ASCII characters`);
    const ticket = { key: hash(`${whose}\n${key}`), request: hash(JSON.stringify(body)) };
    const busy = this.#busy.get(ticket.key);
    if (busy !== undefined) return busy.request === ticket.request ? busy.answer : USED;
    const before = this.#acceptances.find(ticket.key);
    if (before !== undefined) return before.request === ticket.request ? again(before) : USED;
    // It may be one of those that the spool is being read for.
    if (!this.#acceptances.complete)
      return refusal('1502', 'the server is starting', { headers: { 'retry-after': '5' } });
    const answer = serve(ticket);
    this.#busy.set(ticket.key, { request: ticket.request, answer });
    try {
      return await answer;
    } finally {
      this.#busy.delete(ticket.key);
    }
  }
}

const USED = refusal('1602', 'this Idempotency-Key was used for another request');

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
