import { type Domain, millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { type Ids, nullId } from '../message/index.ts';
import type { Attempt, Courier, MailQueue, Pair, QueueRegistry } from '../queue/index.ts';
import { stages } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Chance, Clock, Names, Network } from '../world/index.ts';
import type { Connection } from './connection.ts';
import type { Crew, Served } from './crew.ts';
import { HostStates } from './host-state.ts';
import { hostname } from './options.ts';
import { Routes } from './routes.ts';
import { PairService } from './service.ts';

export interface DeliveryParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly names: Names;
  readonly spool: Spool;
  readonly ids: Ids;
  readonly queues: QueueRegistry;
  readonly current: () => Generation;
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
  readonly routes: Routes;
  readonly hosts = new HostStates();
  readonly noAttempt: Attempt = { stage: stages.unknown, connectionId: nullId, address: '', host: '', bytes: 0 };
  readonly #parts: DeliveryParts;
  readonly #services = new Map<MailQueue, PairService>();
  #closing: (() => void) | undefined;
  #numbers = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.chance = parts.chance;
    this.network = parts.network;
    this.spool = parts.spool;
    this.ids = parts.ids;
    this.routes = new Routes(parts.clock, parts.names);
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
    service.serve();
  }

  wake(pair: Pair): void {
    this.#parts.queues.due(pair);
  }

  left(service: Served): void {
    if (service.open === 0 && service.pair.active === 0 && service.failures === 0) this.#services.delete(service.pair);
    if (this.#closing !== undefined && this.outboundConcurrency === 0) this.#closing();
  }

  /** Open connections, those that are being opened included. */
  get outboundConcurrency(): number {
    let sum = 0;
    for (const service of this.#services.values()) sum += service.open;
    return sum;
  }

  *connections(): Iterable<{ readonly pair: Pair; readonly connection: Connection }> {
    for (const service of this.#services.values()) {
      for (const connection of service.connections) yield { pair: service.pair, connection };
    }
  }

  /** Consecutive connection failures of a domain over all bindings. */
  failuresOf(domain: Domain): number {
    let sum = 0;
    for (const service of this.#services.values()) if (service.pair.domain === domain) sum += service.failures;
    return sum;
  }

  /** What is under way is finished, nothing new is begun. After `patience` milliseconds it is cut. */
  async close(patience: number): Promise<void> {
    if (this.outboundConcurrency === 0) {
      this.#closing = () => undefined;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      const cut = this.clock.at(millis(this.clock.now() + patience), () => {
        for (const service of this.#services.values()) service.abort();
      });
      const done = this.#closing;
      this.#closing = () => {
        cut[Symbol.dispose]();
        done();
      };
      for (const service of this.#services.values()) service.leave();
    });
  }
}
