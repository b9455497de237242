import { CredentialStores } from '../../src/auth/index.ts';
import { type Endpoint, millis } from '../../src/base/index.ts';
import { EcstreamSender, type SenderOptions } from '../../src/ecstream/index.ts';
import type { Events, MailEvent } from '../../src/events/index.ts';
import { type Envelope, idAllocator, type Message } from '../../src/message/index.ts';
import { policy } from '../../src/policy/index.ts';
import { Dedup, type OpenReception, reception } from '../../src/reception/index.ts';
import type { Listening } from '../../src/world/index.ts';
import { type SimWorld, simWorld } from '../../src/world/sim/index.ts';
import { generationOf, HandSpool, OPEN, type Values } from '../dialogues/mail-in.ts';

export const AT: Endpoint = { kind: 'tcp', ip: '10.0.0.1', port: 1825 };

/** A reception behind an ECStream door in a simulated world, and clients that come to it. */
export class StreamHouse {
  readonly world: SimWorld;
  readonly spool: HandSpool;
  readonly recorded: MailEvent[] = [];
  readonly lines: string[] = [];
  readonly enqueued: Message[] = [];
  readonly pressure = { exceeded: false, full: false };
  /** API keys, and whether each may send. */
  readonly keys = new Map<string, boolean>();
  /** Keys are looked up when this is there. */
  keyFound: Promise<void> = Promise.resolve();
  readonly policy;
  readonly configuration;
  reception!: OpenReception;
  dedup!: Dedup;
  #door: Listening | undefined;
  readonly #events: Events;

  private constructor(values: Values, world: SimWorld) {
    this.world = world;
    this.spool = new HandSpool(world.clock);
    this.configuration = { current: generationOf(values, 1) };
    this.#events = {
      record: (event) => void this.recorded.push(event),
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      diagnose: (level, module, text) => void this.lines.push(`${level} ${module}: ${text}`),
    };
    this.policy = policy(this.#events);
  }

  static async with(values: Values = OPEN, world: SimWorld = simWorld()): Promise<StreamHouse> {
    const house = new StreamHouse(values, world);
    await house.open([]);
    return house;
  }

  /** @param inSpool envelopes of messages that an earlier life has left */
  async open(inSpool: readonly Envelope[]): Promise<void> {
    const { chance, clock, disk, hashing, network } = this.world;
    this.dedup = await Dedup.open({ disk, clock, directory: '/keys', complain: (text) => void this.lines.push(text) });
    for (const envelope of inSpool) this.dedup.remember(envelope);
    this.dedup.recovered();
    this.reception = reception({
      clock,
      spool: this.spool,
      policy: this.policy,
      events: this.#events,
      queues: { enqueue: (message) => void this.enqueued.push(message) },
      configuration: this.configuration,
      ids: idAllocator({ instance: 7 }),
      hostName: 'mx.test',
      pressure: this.pressure,
      dedup: this.dedup,
      version: '1.0.0',
      logins: {
        stores: new CredentialStores({ disk, clock, chance, hashing, events: this.#events }),
        keys: {
          find: async (secret) => {
            await this.keyFound;
            const maySend = this.keys.get(secret);
            return maySend === undefined ? undefined : { id: `id of ${secret}`, maySend };
          },
        },
        random: (count) => chance.bytes(count),
      },
    });
    const { reception: mine } = this;
    this.#door = await network.listen(AT, { backlog: 10, fileMode: 0 }, (pipe) =>
      mine.stream(pipe, {
        endpoint: AT,
        generation: this.configuration.current,
        ended: () => undefined,
        moved: () => undefined,
        withinCaps: () => true,
      }),
    );
  }

  /** The process dies; what the spool has, stays. */
  async crash(): Promise<void> {
    await this.#door?.[Symbol.asyncDispose]();
    this.world.network.crash();
  }

  sender(options: Partial<SenderOptions> = {}): EcstreamSender {
    return new EcstreamSender(this.world, { at: AT, hostName: 'client.test', insecureLogin: true, ...options });
  }

  commit(values: Values): void {
    this.configuration.current = generationOf(values, this.configuration.current.number + 1);
    this.reception.reconsider(this.configuration.current);
  }

  /** Lets time pass until a promise is settled. */
  until<T>(promise: Promise<T>): Promise<T> {
    return this.world.clock.until(promise);
  }

  later(seconds: number): Promise<void> {
    return this.world.clock.advance(millis(seconds * 1000));
  }

  get rejections(): Extract<MailEvent, { kind: 'rejection' }>[] {
    return this.recorded.flatMap((event) => (event.kind === 'rejection' ? [event] : []));
  }
}

export const mail = (n: number, to = 'b@y.test') => ({
  from: 'a@x.test',
  to: [to],
  body: `Subject: ${n}\n\nmessage ${n}\n`,
});
