import type { CredentialStores } from '../auth/index.ts';
import type { BindingName, Domain, Millis } from '../base/index.ts';
import type { Generation, Manual } from '../config/index.ts';
import type { Events, RecentDiagnostics, Statistics } from '../events/index.ts';
import type { Explanation, Item, MailQueue, Queues } from '../queue/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Clock, DnsAnswer, RecordType } from '../world/index.ts';
import type { SystemUsers } from './system-user.ts';

/** All that commands see of the server: doors, handed in by whoever builds the house. Commands hold no state. */
export interface House {
  readonly clock: Clock;
  readonly events: Events;
  readonly product: Product;
  readonly machine: Machine;
  readonly configuration: {
    readonly current: Pick<Generation, 'number' | 'bindings' | 'receiving' | 'instances' | 'stanza'>;
  };
  readonly configCommands: ConfigCommands;
  readonly access: Access;
  /** Of options, scopes and modules: `help option`. */
  readonly manual: Manual;
  readonly queues: Pick<Queues, 'find' | 'all' | 'item' | 'flush' | 'retry' | 'fail' | 'ledger'>;
  /** The gates, asked again with words. */
  readonly explain: { queue(queue: MailQueue): Explanation; item(item: Item): Explanation };
  readonly delivery: DeliveryView;
  readonly sessions: SessionsView;
  readonly statistics: Statistics;
  readonly diagnostics: Pick<RecentDiagnostics, 'of'>;
  readonly names: NamesView;
  readonly spool: Pick<Spool, 'hold'> & { readonly statistics: Pick<Spool['statistics'], 'residentBodies'> };
  readonly modules: ModulesView;
  readonly tls: TlsView;
  /** Orders of mail by HTTP. */
  readonly transmissions: TransmissionsView;
  /** Listeners close first, then everything else; returns at once. */
  shutdown(): void;
  /** Every logger closes and opens its files. @returns how many did, and the words of those that could not */
  reopenLogs(): Promise<{ readonly loggers: number; readonly troubles: readonly string[] }>;
}

/** Who somebody at a console is. */
export interface Access {
  readonly stores: CredentialStores;
  /** Clients of Unix sockets, as users of the system. */
  readonly systemUsers: SystemUsers;
  /** Of DIGEST-MD5, where its parameters name none: `$EC_DIGEST_REALM`, else `Momentum Console`. */
  readonly realm: string;
  /** Not to be guessed. */
  random(count: number): Uint8Array;
}

export interface Product {
  /** As banners print it: `impetus`. */
  readonly name: string;
  readonly version: string;
  /** `2026-03-03`, or whatever the build says of itself. */
  readonly buildDate: string;
}

/** The process and the machine it runs on. */
export interface Machine {
  readonly id: number;
  readonly hostName: string;
  readonly bits: 32 | 64;
  /** The operating system's own name and release. */
  readonly release: string;
  /** As uname prints it: system, host, kernel, architecture. */
  readonly uname: string;
}

/** `config …` with its transactions belongs to the configuration room; each console has a session of its own. */
export interface ConfigCommands {
  /** @param who for the history of generations: `console /run/impetus/2025` */
  open(who: string): ConfigSession;
}

export interface ConfigSession extends Disposable {
  /**
   * @param line all that follows the word `config`, as typed: values use the syntax of the file
   * @returns what to print, and whether it worked
   */
  run(line: string): Promise<{ readonly text: string; readonly ok: boolean }>;
  /** `write config [FILE]`. */
  write(file: string | undefined): Promise<{ readonly text: string; readonly ok: boolean }>;
  /** The stanza of that type which holds for an instance (a regex may match), in file syntax. */
  matching(type: string, instance: string): string | undefined;
  /** A transaction is open; it is rolled back when the session is disposed. */
  readonly open: boolean;
}

export type Family = 'IPv4' | 'IPv6' | 'Unix';

/** Transmissions that are not finished. */
export interface TransmissionsView {
  /** Taken, and not begun. */
  readonly waiting: number;
  /** Messages of them are being made. */
  readonly generating: number;
}

/** TLS contexts, and what fails. */
export interface TlsView {
  contexts(): Iterable<{
    readonly side: 'server' | 'client';
    readonly ageSeconds: number;
    /** Their files; the first is shown by default. */
    readonly certificates: readonly string[];
    /** A file, or in words who is trusted. */
    readonly authorities: string;
    readonly ciphers: string;
  }>;
  readonly failedHandshakes: number;
  /** All contexts are made anew when they are needed next. */
  flush(): void;
}

/** What delivery shows of itself. */
export interface DeliveryView {
  /** Connections that are open or being opened. */
  readonly outboundConcurrency: number;
  connections(): Iterable<OutboundConnection>;
  /** Names in the routing cache. */
  readonly routes: number;
  /** What the routing cache holds; it never looks anything up. */
  route(domain: Domain): Route | undefined;
  /** Forgets what is cached and looks it up again. */
  refresh(domain: Domain): void;
  refreshAll(): void;
}

export interface OutboundConnection {
  /** Stays the same as long as the connection lives; shown where Momentum shows the descriptor. */
  readonly number: number;
  readonly binding: BindingName;
  readonly domain: Domain;
  /** IP address, or a path. */
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly family: Family;
  /** In the words of `domain`: `after MAIL FROM`, `reading confirmation`. */
  readonly state: string;
  /** When this state began, on the clock's scale (`now`). */
  readonly sinceMillis: Millis;
}

export interface Route {
  readonly ttlSeconds: number;
  readonly consecutiveFailures: number;
  readonly mxs: readonly RouteHost[];
}

export interface RouteHost {
  readonly preference: number;
  readonly host: string;
  readonly ttlSeconds: number;
  readonly addresses: readonly RouteAddress[];
  /** Other names in the cache that lead to the same host. */
  readonly alsoUsedBy: readonly { readonly domain: string; readonly preference: number }[];
}

export interface RouteAddress {
  readonly ip: string;
  readonly port: number;
  readonly family: Family;
  /** `next`: would be used for the next connection. */
  readonly state: 'usable' | 'next' | 'failed';
  /** Decayed averages: opening a connection, and MAIL to the answer after the dot. 0: not measured yet. */
  readonly connectMillis: number;
  readonly deliverMillis: number;
  /** Of a failed address. */
  readonly secondsSinceFailure: number | undefined;
}

/** Sessions that came in, whatever they speak. */
export interface SessionsView {
  /** Open inbound sessions of mail: `Inbound Concurrency`. */
  readonly inboundConcurrency: number;
  inbound(): Iterable<InboundSession>;
}

export interface InboundSession {
  readonly number: number;
  /** As `count` takes it: `SMTP`, `Control`, `ECStream`, `HTTP`. */
  readonly service: string;
  /** Which code serves it, as `show inbound` prints behind `inbound/`. */
  readonly handler: string;
  readonly family: Family;
  /** A Unix-socket client has no address: empty. */
  readonly ip: string;
  readonly port: number;
  /** spec: the states of a session, `awaiting mailfrom`. */
  readonly state: string;
  readonly sinceMillis: Millis;
  /** Waits for something of ours: policy, the spool. */
  readonly floating: boolean;
}

/** Counted since the start or the last reset; peak and average over a window of the resolver's own. */
export interface DnsCounts {
  readonly queries: Readonly<Record<RecordType, number>>;
  readonly timeouts: Readonly<Record<RecordType, number>>;
  /** PTR queries below in-addr.arpa and ip6.arpa. */
  readonly arpa: { readonly ipv4: number; readonly ipv6: number };
  readonly pending: number;
  readonly responses: number;
  /** Answers that were malformed or a server's failure. */
  readonly bad: number;
  readonly lookups: number;
  /** Look-ups that the cache answered. */
  readonly hits: number;
  readonly peakMillis: number;
  readonly averageMillis: number;
}

/** The DNS answers that are kept; routes are another cache. */
export interface NamesView {
  /** `node`, or the name of ours. */
  readonly resolver: string;
  /** What the cache holds now; it never asks anybody. */
  cached(name: string, type: RecordType): { readonly answer: DnsAnswer; readonly secondsLeft: number } | undefined;
  /** Asks, and keeps the answer; nobody waits for it. */
  submit(name: string, type: RecordType): void;
  readonly counts: DnsCounts;
  /** Counts begin again at zero: `summary reset`. */
  reset(): void;
}

export interface ModulesView {
  list(): Iterable<ModuleFacts>;
  /** Commands that modules have added, by their whole words: `ec_logger:main reopen logs`. */
  commands(): Iterable<ModuleCommand>;
}

export interface ModuleFacts {
  readonly scope: string;
  /** Undefined for a singleton. */
  readonly instance: string | undefined;
  readonly enabled: boolean;
  /** `Logger`, `Singleton`, `Policy`. */
  readonly kind: string;
  readonly name: string;
  readonly description: string;
}

export interface ModuleCommand {
  readonly words: string;
  readonly summary: string;
  /** Returns `failed` when it did not do what it was asked for; whatever else it returns is `ok`. */
  run(rest: readonly string[]): Iterable<string, unknown> | AsyncIterable<string, unknown>;
}
