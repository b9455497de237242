import type { Attempt, Item } from '../queue/index.ts';
import { gate } from '../shaping/index.ts';
import { type Reply, reply, stages } from '../smtp/index.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import type { ConnectionTls } from './connection-tls.ts';
import type { OpenConnection } from './open-connection.ts';
import { UNREADABLE } from './preparation.ts';

/** Returned without a charge: nothing but another connection is needed. */
const OPEN = gate('open');

/** The peer has gone and said nothing of it. */
export const HUNG_UP = reply(451, '4.4.2', '[internal] connection closed by remote host');

/** What becomes of items without a word of the peer; the same whatever is spoken over a connection. */
export class Settlement {
  readonly #owner: ConnectionOwner<OpenConnection>;
  readonly #settings: ConnectionSettings;
  readonly #tls: ConnectionTls;

  constructor(owner: ConnectionOwner<OpenConnection>, settings: ConnectionSettings, tls: ConnectionTls) {
    this.#owner = owner;
    this.#settings = settings;
    this.#tls = tls;
  }

  /** @param bytes of the body that were handed to the pipe */
  attempt(stage: number, bytes: number): Attempt {
    const { id, address, view } = this.#settings;
    const { generation } = view;
    const attempt = { stage, connectionId: id, address: address.ip, host: address.host, bytes, generation };
    return this.#tls.attempt === undefined ? attempt : { ...attempt, tls: this.#tls.attempt };
  }

  judged(items: readonly Item[], said: Reply, bytes = 0): void {
    const attempt = this.attempt(said === UNREADABLE ? stages.sendingBody : stages.during.mail, bytes);
    this.#owner.settle(items, () => ({ kind: said.code >= 500 ? 'failed' : 'deferred', reply: said, attempt }));
  }

  /** Another connection takes them. */
  givenBack(items: readonly Item[]): void {
    this.#owner.settle(items, () => ({ kind: 'returned', gate: OPEN, until: this.#owner.clock.now() }));
  }

  /** An operator hears of a body that the disk does not give back. */
  unreadable(items: readonly Item[], cause: unknown): void {
    const batchId = items[0]?.message.envelope.batchId ?? '';
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#owner.report(`batch ${batchId}: its body cannot be read and is tried again later: ${why}`);
  }
}
