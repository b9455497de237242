import { bindingName, millis } from '../../src/base/index.ts';
import type { Generation } from '../../src/config/index.ts';
import { SmtpDelivery } from '../../src/delivery/index.ts';
import type { AttemptEvent, Events, MailEvent } from '../../src/events/index.ts';
import { type BodyTraits, type Envelope, idAllocator } from '../../src/message/index.ts';
import { type Failure, type Notice, QueueRegistry, type Undertaker } from '../../src/queue/index.ts';
import { Shaping } from '../../src/shaping/index.ts';
import { replyText } from '../../src/smtp/index.ts';
import { TlsShelf } from '../../src/tls/index.ts';
import { DiskError, type DnsAnswer, type Names, type RecordType } from '../../src/world/index.ts';
import { SimChance } from '../../src/world/sim/chance.ts';
import { SimClock } from '../../src/world/sim/clock.ts';
import { SimNetwork } from '../../src/world/sim/network.ts';
import { SimTls } from '../../src/world/sim/tls.ts';
import { generationOf, type Values } from './generation.ts';
import { MemorySpool } from './memory-spool.ts';
import { type Script, ScriptedPeer } from './scripted-peer.ts';

const ids = idAllocator({ instance: 7 });

/** Queue, shaping and delivery in a simulated world, with a spool in memory. */
export class MailRoom {
  readonly clock = new SimClock();
  readonly chance = new SimChance(42);
  readonly network = new SimNetwork(this.clock, this.chance);
  readonly spool = new MemorySpool();
  readonly zone = new Map<string, DnsAnswer>();
  readonly recorded: MailEvent[] = [];
  readonly buried: Failure[] = [];
  readonly told: Notice[] = [];
  readonly complaints: string[] = [];
  /** Bounces cannot be stored. */
  burialFails = false;
  /** The undertaker himself breaks down. */
  burialThrows = false;
  /** Names that were asked for, as `name type`. */
  readonly asked: string[] = [];
  generation: Generation;
  readonly tls: TlsShelf;
  /** What the shelf can read. */
  readonly files = new Map<string, Uint8Array>();
  readonly queues: QueueRegistry;
  readonly delivery: SmtpDelivery;

  constructor(values: Values = {}) {
    this.generation = generationOf(values);
    const events: Events = {
      record: (event) => {
        this.recorded.push(event);
      },
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      diagnose: (_level, _module, text) => {
        this.complaints.push(text);
      },
    };
    const undertaker: Undertaker = {
      tell: (message, notices) => {
        this.told.push(...notices);
        const delivered = notices.filter(({ action }) => action !== 'delayed');
        if (delivered.length > 0)
          this.spool.done(
            message.at,
            delivered.map(({ recipient }) => recipient),
          );
      },
      bury: (message, failed, told) => {
        if (this.burialThrows) throw new Error('no undertaker');
        if (this.burialFails) {
          this.clock.defer(told.kept);
          return;
        }
        this.buried.push(...failed);
        this.spool.done(
          message.at,
          failed.map((failure) => failure.recipient),
        );
        this.clock.defer(told.buried);
      },
    };
    const names: Names = {
      lookup: async (name: string, type: RecordType) => {
        this.asked.push(`${name} ${type}`);
        return this.zone.get(`${name} ${type}`) ?? { kind: 'no name', ttl: 60 as never };
      },
    };
    this.queues = new QueueRegistry({
      clock: this.clock,
      spool: this.spool,
      events,
      shaping: new Shaping(() => this.generation),
      current: () => this.generation,
      undertaker,
      classify: () => 1,
    });
    const disk = {
      read: async (path: string) => {
        const bytes = this.files.get(path);
        if (bytes === undefined) throw new DiskError('ENOENT', path, path);
        return bytes;
      },
      status: async (path: string) => {
        const size = this.files.get(path)?.length;
        return size === undefined
          ? undefined
          : { kind: 'file' as const, size, modified: millis(0), mode: 0o600, owner: 0, device: 0 };
      },
    };
    this.tls = new TlsShelf({ tls: new SimTls(), clock: this.clock, disk, events });
    this.delivery = new SmtpDelivery({
      tls: this.tls,
      clock: this.clock,
      chance: this.chance,
      network: this.network,
      names,
      spool: this.spool,
      events,
      ids,
      queues: this.queues,
      current: () => this.generation,
      hostName: 'me.test',
    });
    this.queues.workWith(this.delivery);
  }

  /** A mail exchanger on port 25 of an address, and a domain that leads to it. */
  async peer(domain: string, ip: string, script: Script = {}): Promise<ScriptedPeer> {
    const peer = new ScriptedPeer(script);
    await this.network.listen({ kind: 'tcp', ip, port: 25 }, { backlog: 10, fileMode: 0 }, peer.accept);
    this.mx(domain, [[10, `mx.${domain}`, ip]]);
    return peer;
  }

  mx(domain: string, hosts: readonly (readonly [number, string, string])[]): void {
    const ttl = 300 as never;
    this.zone.set(`${domain} MX`, {
      kind: 'found',
      records: hosts.map(([preference, host]) => ({ type: 'MX', preference, host })),
      ttl,
      authentic: false,
    });
    for (const [, host, ip] of hosts)
      this.zone.set(`${host} A`, { kind: 'found', records: [{ type: 'A', address: ip }], ttl, authentic: false });
  }

  receive(
    to: string | readonly string[],
    body = 'Subject: x\r\n\r\nhello\r\n',
    traits: BodyTraits = { dots: false, lone: false },
  ): Envelope {
    return this.receiveAs(to, body, traits, (envelope) => envelope);
  }

  /** @param change  what else the sender asked for */
  receiveAs(
    to: string | readonly string[],
    body: string,
    traits: BodyTraits,
    change: (envelope: Envelope) => Envelope,
  ): Envelope {
    const date = this.clock.date();
    const envelope: Envelope = change({
      batchId: ids.next(date),
      connectionId: ids.next(date),
      receivedAt: date,
      reversePath: 'a@src.test',
      recipients: [to].flat().map((path) => ({ id: ids.next(date), path, binding: bindingName('default') })),
      protocol: 'esmtp',
      peer: '127.0.0.1',
      size: body.length,
      context: { connection: {}, message: {} },
    });
    this.queues.enqueue(this.spool.put(envelope, body, traits));
    return envelope;
  }

  reconfigure(values: Values): void {
    this.generation = generationOf(values, this.generation.number + 1);
    this.queues.reconsider();
  }

  /** What happened to mail since the last call, in short. */
  happened(): string[] {
    return this.recorded
      .splice(0)
      .filter(
        (event): event is AttemptEvent =>
          event.kind === 'delivery' || event.kind === 'transient' || event.kind === 'permanent',
      )
      .map((event) => `${event.kind} ${event.recipient} ${event.stage} ${event.retries} ${replyText(event.reply)}`);
  }

  later(seconds: number): Promise<void> {
    return this.clock.advance(millis(seconds * 1000));
  }

  get balance(): number {
    return this.queues.ledger.difference;
  }
}
