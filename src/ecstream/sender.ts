import { bytesIn, type Endpoint, type Millis, millis, type Segments } from '../base/index.ts';
import { type Reply, replyText } from '../smtp/index.ts';
import type { Chance, Clock, Network, TlsMaker } from '../world/index.ts';
import { type EcstreamClientEvent, type EcstreamClientSettings, MOST_FRAME } from './client.ts';
import { type ContextValues, envelopeFlags, envelopeTrouble, NO_VALUES, type WireEnvelope } from './envelope.ts';
import { capabilities, mechanisms } from './frames.ts';
import { Link } from './link.ts';
import { assertUnheard, type Security, type SenderTls, securityFor } from './security.ts';

/** A message for `EcstreamSender.send`. */
export interface Outgoing {
  /** Envelope sender; empty for the null reverse-path. */
  readonly from: string;
  /** Recipients: addresses, or addresses with context variables of their own. */
  readonly to: readonly (string | { readonly address: string; readonly context?: ContextValues })[];
  /** The whole message, header and body. In a string any line end becomes CRLF; bytes go out as they are. */
  readonly body: string | Uint8Array | Segments;
  /** Context variables of the message, for policy and logs. */
  readonly context?: ContextValues;
  /** Name of the binding that is to deliver it. */
  readonly binding?: string;
  /** Milliseconds since the epoch: it is not tried before, and given up then at the latest. */
  readonly notBefore?: number;
  readonly expires?: number;
  /** 16 to 64 bytes: a repeat of the key within 24 hours is not taken again. Made up when left out. */
  readonly dedupKey?: string;
}

/** A message is on the server's disk. */
export interface Accepted {
  /** The server's id of the message; empty when it gives none. */
  readonly id: string;
  /** Recipients that were not taken. */
  readonly refused: readonly { readonly recipient: string; readonly reply: Reply }[];
}

/** The server refused the message for all recipients. A 4xx may be tried again. */
export class EcstreamRefused extends Error {
  readonly code = 'IMP_ECSTREAM_REFUSED';
  readonly reply: Reply;
  constructor(reply: Reply) {
    super(replyText(reply));
    this.reply = reply;
  }
}

/** There is no connection, and none comes. `sent`: the message may have been taken, nobody knows. */
export class EcstreamLost extends Error {
  readonly code = 'IMP_ECSTREAM_LOST';
  readonly sent: boolean;
  constructor(text: string, sent: boolean) {
    super(text);
    this.sent = sent;
  }
}

export interface SenderOptions {
  readonly at: Endpoint;
  /** What we call ourselves. */
  readonly name?: string;
  readonly hostName?: string;
  /** Milliseconds without a connection after which everything that waits is given up; default 60,000. */
  readonly patience?: number;
  /** Milliseconds for connecting and for the WELCOME; default 10,000. */
  readonly connectTimeout?: number;
  /** Milliseconds that the server may be silent while messages are under way; then they go over another connection; default 600,000. */
  readonly answerTimeout?: number;
  /** Messages that may wait here before `send` refuses; default 100,000. `room()` says when there is some. */
  readonly mostWaiting?: number;
  /** Deflate bodies, when the server can inflate them. */
  readonly deflate?: boolean;
  /** User and password, or an API key with the grant `smtp/inject`, for a server that wants a login. */
  readonly login?: { readonly user: string; readonly password: string } | { readonly apiKey: string };
  /** For a listener with `Use_SSL`. `true`: signed by an authority that Node knows, for the host that is connected to. */
  readonly tls?: boolean | SenderTls;
  /** The login may go in clear to another machine; it is refused otherwise. */
  readonly insecureLogin?: boolean;
}

export interface SenderWorld {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'bytes'>;
  readonly network: Pick<Network, 'connect'>;
  readonly tls: Pick<TlsMaker, 'context'>;
}

interface Job {
  readonly message: Outgoing;
  readonly envelope: WireEnvelope;
  readonly body: Segments;
  readonly bytes: number;
  readonly refused: { readonly recipient: string; readonly reply: Reply }[];
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (why: Error) => void;
  /** It went out on some connection whose answer never came. */
  sent: boolean;
}

/** Tries again after this long, twice as long each time, up to the second. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 10_000;
/** Below half of what may wait there is room again. */
const ROOM = 0.5;

/**
 * A client that keeps a connection: messages wait for the window, are kept until the server has them on disk, and go out
 * again on the next connection when one is lost. With a server that remembers keys nothing is taken twice.
 */
export class EcstreamSender implements AsyncDisposable {
  readonly #world: SenderWorld;
  readonly #options: SenderOptions;
  readonly #security: Security | undefined;
  /** Not sent yet on this connection. */
  #waiting: Job[] = [];
  #first = 0;
  /** Sent on this connection, by number. */
  readonly #flying = new Map<number, Job>();
  #link: Link | undefined;
  #wait = FIRST_WAIT;
  #lostAt: Millis | undefined;
  #timer: Disposable | undefined;
  #closing: (() => void) | undefined;
  #closed = false;
  #asked = false;
  /** Of all keys that this client makes up: nobody can guess them, and no two clients have the same. */
  readonly #keys: string;
  #keyed = 0;
  readonly #roomWaiters: (() => void)[] = [];
  /** Connections that stood. */
  connections = 0;

  /** @throws RangeError when TLS cannot be had with these options, or a login would go in clear */
  constructor(world: SenderWorld, options: SenderOptions) {
    const { at, tls, login, insecureLogin } = options;
    this.#world = world;
    this.#options = options;
    if (tls !== undefined && tls !== false) this.#security = securityFor(world.tls, at, tls === true ? {} : tls);
    else if (login !== undefined && insecureLogin !== true) assertUnheard(at);
    this.#keys = Buffer.from(world.chance.bytes(12)).toString('hex');
  }

  /** Messages without a result. */
  get pending(): number {
    return this.#waiting.length - this.#first + this.#flying.size;
  }

  /**
   * Resolves when the message is on the server's disk.
   *
   * @throws EcstreamRefused, EcstreamLost; RangeError when more wait than may, or the message cannot be put into frames
   */
  send(message: Outgoing): Promise<Accepted> {
    return new Promise<Accepted>((resolve, reject) => {
      if (this.#closed || this.#closing !== undefined) return reject(new EcstreamLost('the client is closed', false));
      if (this.pending >= (this.#options.mostWaiting ?? 100_000))
        return reject(new RangeError('too many messages wait: await room() before send()'));
      const body = bodyOf(message.body);
      const envelope = this.#envelopeOf(message);
      const trouble = envelopeTrouble(envelope, 'utf8', MOST_FRAME);
      if (trouble !== undefined) return reject(new RangeError(trouble));
      this.#waiting.push({
        message,
        envelope,
        body,
        bytes: bytesIn(body) + 256,
        refused: [],
        resolve,
        reject,
        sent: false,
      });
      this.#pumpSoon();
    });
  }

  /** Many messages, at the pace of the server. @returns for each what became of it, in order; never rejects */
  async sendAll(messages: Iterable<Outgoing> | AsyncIterable<Outgoing>): Promise<PromiseSettledResult<Accepted>[]> {
    const results: Promise<Accepted>[] = [];
    for await (const message of messages) {
      await this.room();
      const result = this.send(message);
      result.catch(() => undefined);
      results.push(result);
    }
    return Promise.allSettled(results);
  }

  /** Resolves when another message may be handed over without piling up. */
  room(): Promise<void> {
    if (this.pending < this.#most * ROOM || this.#closed) return Promise.resolve();
    return new Promise((resolve) => void this.#roomWaiters.push(resolve));
  }

  /** Waits until everything has a result, and says goodbye. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const before = this.#closing;
      this.#closing = () => {
        before?.();
        resolve();
      };
      this.#settle();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #most(): number {
    return this.#options.mostWaiting ?? 100_000;
  }

  #envelopeOf({ from, to, context, binding, notBefore, expires, dedupKey }: Outgoing): WireEnvelope {
    const key = dedupKey ?? `${this.#keys}${(++this.#keyed).toString(16).padStart(12, '0')}`;
    const values: Record<string, string> = { ...context, ec_dedup: key };
    if (binding !== undefined) values.ec_binding = binding;
    if (notBefore !== undefined) values.ec_not_before = String(Math.floor(notBefore / 1000));
    if (expires !== undefined) values.ec_expiry = String(Math.floor(expires / 1000));
    const recipients = to.map((each) =>
      typeof each === 'string' ? { address: each, context: NO_VALUES } : { context: NO_VALUES, ...each },
    );
    const wide = [from, ...recipients.map(({ address }) => address)].some((address) => /[^\x00-\x7f]/.test(address));
    return { flags: wide ? envelopeFlags.smtpUtf8 : 0, sender: from, context: values, recipients };
  }

  /** What one turn hands over goes out in one write. */
  #pumpSoon(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#world.clock.defer(() => {
      this.#asked = false;
      this.#pump();
    });
  }

  #pump(): void {
    const link = this.#link;
    if (link === undefined) {
      if (this.#timer === undefined && this.pending > 0) this.#connect();
      return;
    }
    const { machine } = link;
    if (machine === undefined || link.blocked) return;
    for (let job = this.#waiting[this.#first]; job !== undefined; job = this.#waiting[this.#first]) {
      if (!machine.mayBegin(job.bytes) || link.blocked) break;
      this.#first += 1;
      // This server may take less in a frame than most.
      const short = (machine.welcome?.maxFrame ?? MOST_FRAME) < MOST_FRAME;
      const trouble = short ? machine.troubleWith(job.envelope) : undefined;
      if (trouble !== undefined) {
        job.reject(new RangeError(trouble));
        this.#settle();
        continue;
      }
      link.awaits();
      job.sent = true;
      job.refused.length = 0;
      this.#flying.set(machine.begin(job.envelope, job.body, true), job);
      if (link.gather(job.bytes)) link.flush();
    }
    if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    link.flush();
  }

  #connect(): void {
    const { clock, network } = this.#world;
    const { at, login, deflate, connectTimeout = 10_000, answerTimeout = 600_000 } = this.#options;
    const { name = 'impetus', hostName = 'localhost' } = this.#options;
    this.#lostAt ??= clock.now();
    const wanted = capabilities.ids | capabilities.dedup | (deflate === true ? capabilities.deflate : 0);
    const link = new Link(
      clock,
      {
        name,
        hostName,
        capabilities: wanted,
        encoding: 'utf8',
        greeting: connectTimeout,
        ...(login === undefined ? {} : { login: loginOf(login) }),
      },
      {
        heard: (event) => this.#hear(event),
        drained: () => this.#pump(),
        hopeless: (why) => this.#giveUp(why),
        closed: (why) => this.#lost(link, why),
      },
      answerTimeout,
      this.#security,
    );
    this.#link = link;
    link.start(network.connect(at, undefined, link));
  }

  #hear(event: EcstreamClientEvent): void {
    switch (event.kind) {
      case 'ready':
        this.connections += 1;
        this.#wait = FIRST_WAIT;
        this.#lostAt = undefined;
        return this.#pumpSoon();
      case 'window':
        return this.#pumpSoon();
      case 'recipient': {
        const job = this.#flying.get(event.seq);
        const recipient = job?.envelope.recipients[event.index]?.address;
        if (job !== undefined && recipient !== undefined) job.refused.push({ recipient, reply: event.reply });
        return undefined;
      }
      case 'accepted': {
        const job = this.#take(event.seq);
        job?.resolve({ id: event.id ?? '', refused: [...job.refused] });
        return this.#settle();
      }
      case 'refused':
        this.#take(event.seq)?.reject(new EcstreamRefused(event.reply));
        return this.#settle();
      case 'bye':
        // What it will not take goes out on the next connection, when this one has closed.
        if (event.code >= 500) this.#giveUp(`${event.code} ${event.text}`);
        return undefined;
      case 'no login':
        if (event.reply.code >= 500) this.#giveUp(replyText(event.reply));
        return undefined;
      case 'broken':
        if (/^5\d\d /.test(event.text)) this.#giveUp(event.text);
        return undefined;
    }
  }

  #take(seq: number): Job | undefined {
    const job = this.#flying.get(seq);
    this.#flying.delete(seq);
    return job;
  }

  /** Something has a result: more may go, and who waits for room or the end is told. */
  #settle(): void {
    if (this.#waiting.length > this.#first) this.#pumpSoon();
    if (this.#roomWaiters.length > 0 && this.pending < this.#most * ROOM)
      for (const tell of this.#roomWaiters.splice(0)) tell();
    if (this.#closing === undefined || this.pending > 0) return;
    if (this.#link !== undefined) this.#link.leave();
    else this.#end();
  }

  #lost(link: Link, why: string): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    const again = [...this.#flying.values()];
    this.#flying.clear();
    this.#waiting = [...again, ...this.#waiting.slice(this.#first)];
    this.#first = 0;
    if (this.pending === 0) {
      if (this.#closing !== undefined) this.#end();
      return;
    }
    const { clock } = this.#world;
    const now = clock.now();
    this.#lostAt ??= now;
    if (now - this.#lostAt >= (this.#options.patience ?? 60_000)) return this.#giveUp(why);
    this.#timer = clock.at(millis(now + this.#wait), () => {
      this.#timer = undefined;
      if (this.#link === undefined) this.#connect();
    });
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #giveUp(why: string): void {
    const all = [...this.#flying.values(), ...this.#waiting.slice(this.#first)];
    this.#flying.clear();
    this.#waiting = [];
    this.#first = 0;
    this.#lostAt = undefined;
    for (const job of all) job.reject(new EcstreamLost(why, job.sent));
    this.#settle();
  }

  #end(): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    for (const tell of this.#roomWaiters.splice(0)) tell();
    this.#closing?.();
  }
}

function loginOf(login: NonNullable<SenderOptions['login']>): NonNullable<EcstreamClientSettings['login']> {
  return 'apiKey' in login
    ? { mechanism: mechanisms.apiKey, response: Buffer.from(login.apiKey) }
    : { mechanism: mechanisms.plain, response: Buffer.from(`\0${login.user}\0${login.password}`) };
}

function bodyOf(body: Outgoing['body']): Segments {
  if (typeof body === 'string') return [Buffer.from(body.replace(/\r\n|\r|\n/g, '\r\n'), 'utf8')];
  return body instanceof Uint8Array ? [body] : body;
}
