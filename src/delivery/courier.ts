import { type BindingName, type Domain, Lru, millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import { type Ids, nullId } from '../message/index.ts';
import type { Attempt, Courier, MailQueue, Pair, QueueRegistry } from '../queue/index.ts';
import { stages } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Chance, Clock, Names, Network, NetworkError } from '../world/index.ts';
import type { Crew, OutboundTls, Served } from './crew.ts';
import { HostStates } from './host-state.ts';
import type { OpenConnection } from './open-connection.ts';
import { hostname } from './options.ts';
import { Routes } from './routes.ts';
import { PairService } from './service.ts';

/** A trouble that lasts is told of again after this long. */
const TELL_AGAIN = 600_000;
const MOST_TROUBLES = 1000;

export interface DeliveryParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly names: Names;
  readonly spool: Spool;
  readonly events: Events;
  readonly ids: Ids;
  readonly queues: QueueRegistry;
  readonly current: () => Generation;
  readonly tls: OutboundTls;
  /** The machine's own name, where the configuration gives none. */
  readonly hostName: string;
}

/** Delivery by SMTP and LMTP: the hands that the queues ask for. */
export class SmtpDelivery implements Courier, Crew {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly spool: Spool;
  readonly ids: Ids;
  readonly tls: OutboundTls;
  readonly routes: Routes;
  readonly hosts = new HostStates();
  readonly noAttempt: Attempt = { stage: stages.unknown, connectionId: nullId, address: '', host: '', bytes: 0 };
  readonly #parts: DeliveryParts;
  /** As long as a pair lives, so does what is known of its failures. */
  readonly #services = new WeakMap<MailQueue, PairService>();
  /** Those with connections. */
  readonly #busy = new Set<PairService>();
  /** Troubles of this machine that were reported lately, by binding and code. */
  readonly #toldOf = new Lru<string, true>(MOST_TROUBLES);
  #closing: (() => void) | undefined;
  #numbers = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.chance = parts.chance;
    this.network = parts.network;
    this.spool = parts.spool;
    this.ids = parts.ids;
    this.tls = parts.tls;
    this.routes = new Routes(parts.clock, parts.names, {
      ownName: () => this.hostName(),
      alert: (text) => parts.events.diagnose('CRITICAL', 'delivery', text),
    });
  }

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  current(): Generation {
    return this.#parts.current();
  }

  hostName(): string {
    return this.current().global.get(hostname) ?? this.#parts.hostName;
  }

  nextNumber(): number {
    return ++this.#numbers;
  }

  serve(queue: MailQueue): void {
    if (this.closing) return;
    let service = this.#services.get(queue);
    if (service === undefined) {
      service = new PairService(this, queue as Pair);
      this.#services.set(queue, service);
    }
    this.#busy.add(service);
    try {
      service.serve();
    } finally {
      if (service.open === 0) this.#busy.delete(service);
    }
  }

  troubled(binding: BindingName, from: string, why: NetworkError): void {
    const now = this.clock.now();
    const key = `${binding} ${why.code}`;
    if (this.#toldOf.get(key, now) === true) return;
    this.#toldOf.set(key, true, millis(now + TELL_AGAIN));
    this.report(
      `${binding}: no connection can be opened from ${from}: ${why.message}. No mail is charged for it; it is tried ` +
        'again every few seconds.',
    );
  }

  report(text: string): void {
    this.#parts.events.diagnose('ERROR', 'delivery', text);
  }

  wake(pair: Pair): void {
    this.#parts.queues.due(pair);
  }

  left(service: Served): void {
    const known = this.#services.get(service.pair);
    if (known !== undefined && known.open === 0) this.#busy.delete(known);
    if (this.#closing !== undefined && this.#busy.size === 0) this.#closing();
  }

  /** Open connections, those that are being opened included. */
  get outboundConcurrency(): number {
    let sum = 0;
    for (const service of this.#busy) sum += service.open;
    return sum;
  }

  *connections(): Iterable<{ readonly pair: Pair; readonly connection: OpenConnection }> {
    for (const service of this.#busy) {
      for (const connection of service.connections) yield { pair: service.pair, connection };
    }
  }

  /** Consecutive connection failures of a domain over all bindings. */
  failuresOf(domain: Domain): number {
    let sum = 0;
    for (const pair of this.#parts.queues.all())
      if (pair.domain === domain) sum += this.#services.get(pair)?.failures ?? 0;
    return sum;
  }

  /** What is under way is finished, nothing new is begun. After `patience` milliseconds it is cut. */
  async close(patience: number): Promise<void> {
    if (this.#busy.size === 0) {
      this.#closing = () => undefined;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      const cut = this.clock.at(millis(this.clock.now() + patience), () => {
        for (const service of this.#busy) service.abort();
      });
      const done = this.#closing;
      this.#closing = () => {
        cut[Symbol.dispose]();
        done();
      };
      for (const service of this.#busy) service.leave();
    });
  }
}
