import { CredentialStores, Tokens } from '../../src/auth/index.ts';
import {
  bindingName,
  bytesIn,
  type Endpoint,
  joined,
  type Millis,
  millis,
  type Segments,
} from '../../src/base/index.ts';
import type { Configuration, Generation, ListenStanza, Option, RawValue, View } from '../../src/config/index.ts';
import type { Events, MailEvent } from '../../src/events/index.ts';
import {
  type BodyHold,
  type BodyTraits,
  type Envelope,
  idAllocator,
  type Message,
  type SpoolAddress,
} from '../../src/message/index.ts';
import { policy } from '../../src/policy/index.ts';
import { type OpenReception, reception } from '../../src/reception/index.ts';
import { type Draft, SpoolError } from '../../src/spool/index.ts';
import type {
  Clock,
  FileStatus,
  PeerAddress,
  Pipe,
  PipeHost,
  Securing,
  TlsContext,
  TlsFacts,
} from '../../src/world/index.ts';
import { simHashing } from '../../src/world/sim/hashing.ts';
import { SimWeb } from '../../src/world/sim/web.ts';

/** Options as a file has them: text, lists, dictionaries. */
export type Values = Readonly<Record<string, string | readonly string[] | Readonly<Record<string, string>>>>;

const AT = { file: 'test', line: 1, column: 1 };

function raw(value: Values[string]): RawValue {
  if (typeof value === 'string') return { kind: 'text', text: value, quoted: true, at: AT };
  if (Array.isArray(value)) return { kind: 'array', items: value.map((text: string) => ({ text, at: AT })), at: AT };
  const entries = Object.entries(value).map(([key, each]) => ({ key, value: raw(each as string), at: AT }));
  return { kind: 'dictionary', entries, at: AT };
}

export function viewOf(values: Values, generation: number, key = 'global'): View {
  const read = new Map<string, unknown>();
  const same = JSON.stringify(values);
  return {
    generation,
    get<T>(option: Option<T>): T {
      const value = values[option.name];
      if (value === undefined) return option.initial;
      if (!read.has(option.name)) read.set(option.name, option.type.read(raw(value)));
      return read.get(option.name) as T;
    },
    owner: (option) => ({ key: option.name in values ? key : 'default', place: undefined }),
    sameIn: (next) => JSON.stringify((next as TestGeneration).values) === same,
  };
}

export interface TestGeneration extends Generation {
  readonly values: Values;
}

export function generationOf(values: Values, number: number, listens: readonly ListenStanza[] = []): TestGeneration {
  const view = viewOf(values, number);
  return {
    values,
    number,
    date: millis(0),
    hash: String(number),
    global: view,
    sending: () => view,
    host: () => view,
    receiving: () => view,
    receivingOwners: () => [],
    listens: () => listens,
    settings: () => [],
    groupOf: () => 'default',
    pathwayGroupOf: () => undefined,
    bindings: () => [{ group: 'default', name: bindingName('default') }],
    instances: () => [],
    stanza: () => view,
  };
}

/** Time that tests move. Deferred work runs with `turn`. */
export class HandClock implements Clock {
  #now = 1000;
  #deferred: (() => void)[] = [];
  #timers: { readonly due: number; readonly run: () => void }[] = [];

  now(): Millis {
    return millis(this.#now);
  }

  date(): Millis {
    return millis(Date.UTC(2026, 2, 3, 10) + this.#now);
  }

  at(due: Millis, run: () => void): Disposable {
    const timer = { due, run };
    this.#timers.push(timer);
    return { [Symbol.dispose]: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  get pending(): number {
    return this.#timers.length;
  }

  turn(): void {
    for (let run = this.#deferred.shift(); run !== undefined; run = this.#deferred.shift()) run();
  }

  pass(seconds: number): void {
    const end = this.#now + seconds * 1000;
    for (;;) {
      this.turn();
      const [next] = this.#timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.run();
    }
    this.#now = end;
  }
}

/** Keeps in memory; says so in the next turn, as a disk would. */
export class HandSpool {
  readonly kept: { readonly envelope: Envelope; readonly traits: BodyTraits; readonly body: string }[] = [];
  fails: SpoolError['code'] | undefined;
  /** Bytes after which a draft asks for a pause. */
  behindAfter = Number.POSITIVE_INFINITY;
  readonly drafts: Draft[] = [];
  discarded = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  replace(_at: SpoolAddress, _recipients: readonly number[], draft: Draft, ...rest: Parameters<Draft['commit']>): void {
    draft.commit(...rest);
  }

  draft(): Draft {
    const views: Uint8Array[] = [];
    let length = 0;
    const spool = this;
    const draft: Draft = {
      drained: undefined,
      get length() {
        return length;
      },
      get body() {
        return holdOf(views);
      },
      append(bytes: Segments) {
        views.push(...bytes);
        length += bytesIn(bytes);
        return length < spool.behindAfter;
      },
      prepend(bytes: Segments) {
        views.unshift(...bytes);
        length += bytesIn(bytes);
      },
      commit(envelope, traits, told) {
        spool.#clock.defer(() => {
          if (spool.fails !== undefined) return told.refused(new SpoolError(spool.fails, 'no'));
          spool.kept.push({ envelope, traits, body: joined(views).toString('latin1') });
          told.kept(spool.kept.length as SpoolAddress);
        });
      },
      discard() {
        spool.discarded += 1;
      },
    };
    this.drafts.push(draft);
    return draft;
  }
}

function holdOf(views: readonly Uint8Array[]): BodyHold {
  let given = false;
  return {
    length: bytesIn(views),
    traits: { dots: false, lone: false },
    next() {
      if (given) return undefined;
      given = true;
      return [...views];
    },
    rewind: () => void (given = false),
    [Symbol.dispose]: () => undefined,
  };
}

/** A client at the other end of a pipe that is not there. */
export class Peer implements Pipe {
  readonly remote: PeerAddress;
  readonly local: PeerAddress = { ip: '127.0.0.1', port: 25 };
  readonly writes: string[] = [];
  host: PipeHost | undefined;
  ended = false;
  paused = false;
  /** `write` answers false. */
  slow = false;
  readonly #clock: HandClock;
  #read = 0;

  constructor(clock: HandClock, remote: PeerAddress) {
    this.#clock = clock;
    this.remote = remote;
  }

  /** @returns what the server has answered since the last time */
  sends(text: string): string {
    this.host?.data(Buffer.from(text, 'latin1'));
    this.#clock.turn();
    return this.hears();
  }

  hears(): string {
    const said = this.writes.slice(this.#read).join('');
    this.#read = this.writes.length;
    return said;
  }

  hangsUp(): void {
    this.host?.closed();
    this.#clock.turn();
  }

  write(bytes: Segments): boolean {
    if (!this.ended) this.writes.push(joined(bytes).toString('latin1'));
    return !this.slow;
  }

  /** How the server wants the pipe to be secured: `shakes` answers. */
  securing: Securing | undefined;

  secure(how: Securing): void {
    this.securing = how;
  }

  /** The handshake ends well. @returns what the server says then by itself */
  shakes(facts: Partial<TlsFacts> = {}): string {
    this.host?.secured?.({ ...FACTS, ...facts });
    this.#clock.turn();
    return this.hears();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#clock.defer(() => this.host?.closed());
  }

  destroy(): void {
    this.end();
  }
}

export const FACTS: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: { name: 'TLS_AES_256_GCM_SHA384', bits: 256, secretBits: 256 },
  serverName: undefined,
  peer: undefined,
};

export const ENDPOINT: Endpoint = { kind: 'tcp', ip: '127.0.0.1', port: 25 };

/** A reception with everything around it in the hand of the test. */
export class MailIn {
  readonly clock = new HandClock();
  readonly spool = new HandSpool(this.clock);
  /** Servers that say what access tokens are worth. */
  readonly web = new SimWeb(this.clock);
  readonly recorded: MailEvent[] = [];
  readonly complaints: string[] = [];
  readonly enqueued: Message[] = [];
  readonly events: Events = {
    record: (event) => void this.recorded.push(event),
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    diagnose: (level, module, text) => void this.complaints.push(`${level} ${module}: ${text}`),
  };
  readonly policy = policy(this.events);
  readonly configuration: Pick<Configuration, 'current'> & { current: TestGeneration };
  readonly reception: OpenReception;
  slotsGivenBack = 0;
  /** Addresses that sessions have moved to. */
  readonly movedTo: string[] = [];
  withinCaps = true;
  readonly pressure = { exceeded: false };
  /** The certificate, when there is one. */
  context: TlsContext | undefined = undefined;
  readonly failedHandshakes: string[] = [];

  /** Credentials, by path. */
  readonly files: Map<string, string>;

  constructor(values: Values = {}, files: ReadonlyMap<string, string> = new Map()) {
    this.files = new Map(files);
    this.configuration = { current: generationOf(values, 1) };
    this.reception = reception({
      clock: this.clock,
      spool: this.spool,
      policy: this.policy,
      events: this.events,
      queues: { enqueue: (message) => void this.enqueued.push(message) },
      configuration: this.configuration,
      ids: idAllocator({ instance: 7 }),
      hostName: 'mx.test',
      pressure: this.pressure,
      logins: { ...this.#loginStores(), random: (count) => Buffer.alloc(count, 7) },
      tls: {
        server: () => this.context,
        failed: (peer, why) => void this.failedHandshakes.push(`${peer}: ${why}`),
      },
      version: '1.0.0',
    });
  }

  /** Files that never change, and randomness that is none: what is said twice is the same. */
  #loginStores(): { readonly stores: CredentialStores; readonly tokens: Tokens } {
    const fileAt = (path: string): Buffer | undefined => {
      const text = this.files.get(path);
      return text === undefined ? undefined : Buffer.from(text);
    };
    const disk = {
      status: async (path: string): Promise<FileStatus | undefined> => {
        const size = fileAt(path)?.length;
        return size === undefined
          ? undefined
          : { kind: 'file', size, modified: millis(0), mode: 0o600, owner: 0, device: 0 };
      },
      read: async (path: string) => fileAt(path) ?? Buffer.alloc(0),
    };
    const { clock, events, web } = this;
    return {
      stores: new CredentialStores({
        disk,
        clock,
        chance: { bytes: (count) => Buffer.alloc(count, 3) },
        hashing: simHashing,
        events,
      }),
      tokens: new Tokens({ web, clock, disk, events }),
    };
  }

  commit(values: Values): void {
    this.configuration.current = generationOf(values, this.configuration.current.number + 1);
  }

  /** @param tls  facts of a handshake before the first byte */
  connect(remote: PeerAddress = { ip: '192.0.2.7', port: 40_000 }, tls?: TlsFacts): Peer {
    const peer = new Peer(this.clock, remote);
    peer.host = this.reception.converse(peer, {
      endpoint: ENDPOINT,
      generation: this.configuration.current,
      ...(tls === undefined ? {} : { tls }),
      ended: () => void (this.slotsGivenBack += 1),
      moved: (ip) => void this.movedTo.push(ip),
      withinCaps: () => this.withinCaps,
    });
    this.clock.turn();
    return peer;
  }

  /** The same, with the greeting done and heard. */
  greeted(remote?: PeerAddress): Peer {
    const peer = this.connect(remote);
    peer.sends('EHLO client.test\r\n');
    return peer;
  }

  get rejections(): Extract<MailEvent, { kind: 'rejection' }>[] {
    return this.recorded.flatMap((event) => (event.kind === 'rejection' ? [event] : []));
  }
}

/** Everything goes anywhere, with enhanced codes. */
export const OPEN: Values = { open_relay: 'true', smtp_extensions: ['ENHANCEDSTATUSCODES'] };

/** The same, and content is taken as it comes, without a header too. */
export const LAX: Values = {
  ...OPEN,
  rfc2822_missing_headers: 'allow',
  rfc2822_date_header: 'ignore',
  rfc2822_messageid_header: 'ignore',
};
