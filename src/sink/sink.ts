import { type Endpoint, type Millis, millis } from '../base/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import {
  type Chance,
  type Clock,
  type Disk,
  DiskError,
  type Listening,
  type Network,
  type Pipe,
  type PipeHost,
  type TlsContext,
} from '../world/index.ts';
import { Counters, type Verdict } from './counters.ts';
import { FirstSight } from './first-sight.ts';
import { Keeper } from './keep.ts';
import { logLine, subjectOf } from './log-line.ts';
import { Recent, type Taken } from './recent.ts';
import type { Rule } from './rules.ts';
import { type Provider, SinkSession } from './session.ts';
import type { Judgement, Recipient, Transaction } from './transaction.ts';

export interface SinkParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly disk: Disk;
}

export interface SinkSettings {
  /** Names the sink in its replies. */
  readonly hostName: string;
  /** In the order in which they are asked; recipients that none matches are treated as their local part says. */
  readonly rules: readonly Rule[];
  /** How many of the last messages are remembered, with their headers. */
  readonly recent: number;
  /** Bytes; 0 for no limit. */
  readonly maxMessageSize: number;
  /** Sessions beyond it are greeted with 421; 0 for no limit. */
  readonly maxSessions: number;
  /** Makes it offer STARTTLS. */
  readonly tls?: TlsContext;
  /** A folder where whole messages are kept, as in a maildir. */
  readonly keep?: string;
  /** Hears one line for each message, and for each recipient that was turned down; without its line end. */
  readonly log?: (line: string) => void;
  /** Hears what an operator should know: a folder that cannot be written. */
  readonly complain?: (text: string) => void;
}

export const sinkDefaults: SinkSettings = {
  hostName: 'sink.impetus.test',
  rules: [],
  recent: 100,
  maxMessageSize: 64 * 1024 * 1024,
  maxSessions: 0,
};

/** An SMTP server that behaves as mailbox providers do, and keeps nothing but what it was told to. */
export interface Sink {
  /** A client. The session begins at once. */
  converse(pipe: Pipe): PipeHost;
  /** @throws NetworkError */
  listen(at: Endpoint): Promise<Listening>;
  readonly counters: Counters;
  /** The last messages, newest first. */
  recent(): readonly Taken[];
  /** No new sessions; those that are open end, after their transaction. Resolves when they have, or after `STOP_MILLIS`. */
  close(): Promise<void>;
}

/** What a transaction gets to end itself when the sink stops. */
export const STOP_MILLIS = 5000;

/** @param settings  what differs from `sinkDefaults` */
export function sink(parts: SinkParts, settings: Partial<SinkSettings> = {}): Sink {
  return new SinkServer(parts, { ...sinkDefaults, ...settings });
}

const BUSY = reply(421, '4.3.2', 'server busy, try again later');
const CROWDED = reply(421, '4.7.0', 'too many connections, try again later');
const NOT_KEPT = reply(451, '4.3.0', 'cannot keep the message now');

class SinkServer implements Sink, Provider {
  readonly counters = new Counters();
  readonly clock: Clock;
  readonly hostName: string;
  readonly rules: readonly Rule[];
  readonly maxMessageSize: number;
  stopping = false;
  readonly #parts: SinkParts;
  readonly #settings: SinkSettings;
  readonly #recent: Recent;
  readonly #sights = new FirstSight();
  readonly #sessions = new Set<SinkSession>();
  readonly #listening: Listening[] = [];
  readonly #keeper: Keeper | undefined;
  /** Until then every new client is greeted with 421. */
  #busyUntil: Millis;
  #emptied: (() => void) | undefined;

  constructor(parts: SinkParts, settings: SinkSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.clock = parts.clock;
    this.hostName = settings.hostName;
    this.rules = settings.rules;
    this.maxMessageSize = settings.maxMessageSize;
    this.#recent = new Recent(settings.recent);
    this.#keeper = settings.keep === undefined ? undefined : new Keeper(parts, settings.keep, settings.hostName);
    this.#busyUntil = parts.clock.now();
  }

  get tls(): TlsContext | undefined {
    return this.#settings.tls;
  }

  secured(): void {
    this.counters.encryptedSessions++;
  }

  get keeps(): boolean {
    return this.#keeper !== undefined;
  }

  converse(pipe: Pipe): PipeHost {
    const session = new SinkSession(this, pipe);
    this.#sessions.add(session);
    this.counters.sessions++;
    this.counters.openSessions++;
    // The pipe learns of its host when this returns: nothing may be said before.
    this.clock.defer(() => session.begin());
    return session;
  }

  async listen(at: Endpoint): Promise<Listening> {
    const listening = await this.#parts.network.listen(at, { backlog: 1000, fileMode: 0o660 }, (pipe) =>
      this.converse(pipe),
    );
    this.#listening.push(listening);
    return listening;
  }

  recent(): readonly Taken[] {
    return this.#recent.list();
  }

  async close(): Promise<void> {
    this.stopping = true;
    for (const listening of this.#listening.splice(0)) await listening[Symbol.asyncDispose]();
    for (const session of [...this.#sessions]) session.stop();
    if (this.#sessions.size === 0) return;
    const { clock } = this;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    using _limit = clock.at(millis(clock.now() + STOP_MILLIS), () => {
      for (const session of [...this.#sessions]) session.abandon();
    });
    await emptied;
  }

  greet(now: Millis): Reply | undefined {
    const crowded = this.#settings.maxSessions > 0 && this.#sessions.size > this.#settings.maxSessions;
    if (!crowded && now >= this.#busyUntil) return undefined;
    this.counters.turnedAway++;
    return crowded ? CROWDED : BUSY;
  }

  welcome(recipient: Recipient, reversePath: string, client: string, now: Millis): boolean {
    const { behaviour, delay } = recipient.action;
    // Greylisting knows a triplet; a busy server is busy for everybody who writes to that address.
    const key = behaviour === 'grey' ? `${client} ${reversePath} ${recipient.path}` : ` ${recipient.path}`;
    if (this.#sights.passed(key, delay, now)) return true;
    if (behaviour === 'busy') this.#busyUntil = millis(Math.max(this.#busyUntil, this.#sights.until(key, delay, now)));
    return false;
  }

  settle(recipient: Recipient, verdict: Verdict, reversePath: string, said: Reply | undefined): void {
    this.counters.count(recipient.domain, verdict);
    this.#settings.log?.(
      logLine({
        date: this.clock.date(),
        verdict,
        reversePath,
        recipients: [recipient.path],
        bytes: 0,
        reply: said,
        subject: '',
      }),
    );
  }

  finish(transaction: Transaction, judgement: Judgement): Promise<Reply | undefined> | undefined {
    if (judgement.verdict !== 'accepted' || this.#keeper === undefined) {
      this.#record(transaction, judgement.verdict, judgement.reply);
      return undefined;
    }
    return this.#keep(this.#keeper, transaction, judgement);
  }

  ended(session: SinkSession): void {
    if (!this.#sessions.delete(session)) return;
    this.counters.openSessions--;
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  /** @returns another reply when the message could not be kept */
  async #keep(keeper: Keeper, transaction: Transaction, judgement: Judgement): Promise<Reply | undefined> {
    const { reversePath, body } = transaction;
    try {
      await keeper.keep({ reversePath, recipients: transaction.recipients.map(({ path }) => path), body });
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#settings.complain?.(`cannot keep a message in ${this.#settings.keep}: ${error.message}`);
      this.#record(transaction, 'deferred', NOT_KEPT);
      return NOT_KEPT;
    }
    this.#record(transaction, 'accepted', judgement.reply);
    return undefined;
  }

  #record(transaction: Transaction, verdict: Verdict, said: Reply): void {
    for (const { domain } of transaction.recipients) this.counters.count(domain, verdict);
    const accepted = verdict === 'accepted';
    const { log } = this.#settings;
    if (accepted) {
      this.counters.messages++;
      this.counters.bytes += transaction.bytes;
      if (this.#settings.recent === 0 && log === undefined) return;
    } else if (log === undefined) {
      return;
    }
    const header = transaction.header();
    const { reversePath, bytes } = transaction;
    const date = this.clock.date();
    const recipients = transaction.recipients.map(({ path }) => path);
    if (accepted) this.#recent.add({ number: this.counters.messages, date, reversePath, recipients, bytes, header });
    const heard = verdict === 'dropped' ? undefined : said;
    log?.(logLine({ date, verdict, reversePath, recipients, bytes, reply: heard, subject: subjectOf(header) }));
  }
}
