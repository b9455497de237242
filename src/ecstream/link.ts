import { type Millis, millis } from '../base/index.ts';
import { replyText } from '../smtp/index.ts';
import { type Clock, type ConnectHost, type NetworkError, type Pipe, TlsError, type TlsFacts } from '../world/index.ts';
import { EcstreamClient, type EcstreamClientEvent, type EcstreamClientSettings } from './client.ts';
import type { Security } from './security.ts';

/** Bytes in one write. */
const MOST_GATHERED = 65_536;

const GONE = 'the server closed the connection during the TLS handshake, as a listener without Use_SSL does';

export interface LinkOwner {
  heard(event: EcstreamClientEvent): void;
  drained(): void;
  /** Another connection would fare no better: `closed` follows. */
  hopeless(why: string): void;
  closed(why: string): void;
}

/** One connection of a program: joins a client machine to a pipe. */
export class Link implements ConnectHost {
  readonly #clock: Clock;
  readonly #settings: EcstreamClientSettings;
  readonly #owner: LinkOwner;
  readonly #answerTimeout: number;
  readonly #security: Security | undefined;
  #pipe: Pipe | undefined;
  #timer: Disposable | undefined;
  #heardAt: Millis;
  #gathered = 0;
  #why = 'the connection was lost';
  blocked = false;
  machine: EcstreamClient | undefined;

  constructor(
    clock: Clock,
    settings: EcstreamClientSettings,
    owner: LinkOwner,
    answerTimeout: number,
    security?: Security,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#owner = owner;
    this.#answerTimeout = answerTimeout;
    this.#security = security;
    this.#heardAt = clock.now();
  }

  start(pipe: Pipe): void {
    this.#pipe = pipe;
    this.#within(this.#settings.greeting, () => this.machine?.state === 'ready' || this.machine?.state === 'bye');
  }

  opened(): void {
    if (this.#security === undefined) this.#greet();
    else this.#pipe?.secure(this.#security.how);
  }

  secured(facts: TlsFacts): void {
    const why = this.#security?.distrust(facts);
    if (why === undefined) return this.#greet();
    this.#why = why;
    this.#pipe?.destroy();
    this.#owner.hopeless(why);
  }

  #greet(): void {
    this.machine = new EcstreamClient(this.#settings, this.#clock.now());
    this.flush();
  }

  data(chunk: Uint8Array): void {
    const { machine } = this;
    if (machine === undefined) return;
    this.#heardAt = this.#clock.now();
    machine.receive(chunk);
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      if (event.kind === 'bye') {
        this.#why = `${event.code} ${event.text}`;
        this.#watch(this.#answerTimeout);
      }
      if (event.kind === 'broken' || event.kind === 'no login') {
        this.#why = event.kind === 'broken' ? event.text : replyText(event.reply);
        this.#pipe?.destroy();
      }
      this.#owner.heard(event);
    }
    this.flush();
  }

  /** A message begins: from now on the server has something to say. */
  awaits(): void {
    if (this.machine?.unresolved !== 0) return;
    this.#heardAt = this.#clock.now();
    this.#watch(this.#answerTimeout);
  }

  #watch(wait: number): void {
    this.#within(wait, () => {
      // A server that has said goodbye closes, sooner or later.
      if ((this.machine?.unresolved ?? 0) === 0) return this.machine?.state !== 'bye';
      const left = this.#heardAt + this.#answerTimeout - this.#clock.now();
      if (left > 0) this.#watch(left);
      return left > 0;
    });
  }

  /** The connection goes when something has not come about in time. One thing at a time is waited for. */
  #within(wait: number, done: () => boolean): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.at(millis(this.#clock.now() + wait), () => {
      this.#timer = undefined;
      if (done()) return;
      this.#why = 'no answer in time';
      this.#pipe?.destroy();
    });
  }

  /** @returns whether so much is gathered that it should be flushed */
  gather(bytes: number): boolean {
    this.#gathered += bytes;
    return this.#gathered >= MOST_GATHERED;
  }

  flush(): void {
    this.#gathered = 0;
    const bytes = this.machine?.take() ?? [];
    if (bytes.length > 0 && this.#pipe?.write(bytes) === false) this.blocked = true;
  }

  drained(): void {
    this.blocked = false;
    this.#owner.drained();
  }

  leave(): void {
    if (this.machine === undefined) this.#pipe?.destroy();
    this.machine?.bye();
    this.flush();
    this.#within(this.#settings.greeting, () => false);
  }

  closed(why?: NetworkError): void {
    this.#timer?.[Symbol.dispose]();
    if (!(why instanceof TlsError)) return this.#owner.closed(why?.message ?? this.#why);
    // A server that starts again cuts handshakes too, so that the commonest mistake is only told when patience ends.
    const text = why.gone ? GONE : `no TLS with the server: ${why.message}`;
    if (!why.gone) this.#owner.hopeless(text);
    this.#owner.closed(text);
  }
}
