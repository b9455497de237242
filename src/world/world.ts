import type { Endpoint, Millis, Seconds, Segments } from '../base/index.ts';
import type { KeyValueStores } from './key-values.ts';
import type { Stores } from './stores.ts';
import type { Securing, TlsFacts, TlsMaker, TlsTrouble } from './tls.ts';

/**
 * All that reaches outside the process. `node/` is the real one, `sim/` the one that a seed decides.
 * Nothing else in the program names a clock, a socket, a file or a random number.
 */
export interface World {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly disk: Disk;
  readonly web: Web;
  readonly hashing: Hashing;
  readonly tls: TlsMaker;
  readonly stores: Stores;
  readonly keyValues: KeyValueStores;
}

export interface Clock {
  /** Monotonic: deadlines and durations are on this scale. */
  now(): Millis;
  /** Wall clock, milliseconds since the epoch: log lines, headers, retry times on disk. */
  date(): Millis;
  /** Runs once when `now()` has reached `due`; never before the current turn has ended. What is due together may share a turn. */
  at(due: Millis, run: () => void): Disposable;
  /** Runs once after the current turn, before any timer: where work of one turn is gathered. */
  defer(run: () => void): void;
}

export interface Chance {
  /** @returns a number in [0, 1) */
  next(): number;
  /** @returns a whole number in [0, below) */
  below(below: number): number;
  /** Not to be guessed by a peer. */
  bytes(count: number): Uint8Array;
}

/** An address as a peer has it. For a Unix socket `ip` is empty and `path` set. */
export interface PeerAddress {
  readonly ip: string;
  readonly port: number;
  readonly path?: string;
}

export interface ListenOptions {
  /** Connections that the kernel may hold before we accept. */
  readonly backlog: number;
  /** Unix sockets: permission bits. */
  readonly fileMode: number;
  /** TCP: small writes do not wait for what is under way (TCP_NODELAY); true when left out. */
  readonly noDelay?: boolean;
  /** A connection could not be accepted (EMFILE …). The socket goes on listening. */
  readonly failed?: (why: NetworkError) => void;
}

/** Disposing closes the socket at once; connections that it accepted stay. */
export interface Listening extends AsyncDisposable {
  /** As asked for, but with the port that the system chose when 0 was asked for. */
  readonly at: Endpoint;
  /**
   * Other options for the open socket: it is not closed, and nobody who waits in its backlog is lost.
   * @throws NetworkError; it is as before then
   */
  change(options: ListenOptions): Promise<void>;
}

export interface Network {
  /**
   * Opens a listening socket. An IPv6 wildcard never takes IPv4 connections.
   * `accept` is called before anything is read, and must not close the pipe before it has returned its host.
   * @throws NetworkError when it cannot be opened: the system's code, for a Unix path also EADDRINUSE with `in use`
   *   and ENOTSOCK with `not a socket`; a dead Unix socket in the way is removed first
   */
  listen(at: Endpoint, options: ListenOptions, accept: (pipe: Pipe) => PipeHost): Promise<Listening>;
  /**
   * Never throws and never calls the host before it has returned: a failure arrives as `host.closed(why)`.
   * @param from the local IP address to bind to; undefined leaves it to the system
   */
  connect(to: Endpoint, from: string | undefined, host: ConnectHost): Pipe;
  /** An unconnected UDP socket for one family; failures arrive as `failed`. */
  datagrams(family: 4 | 6, host: DatagramHost): Datagrams;
}

/** TCP, TLS or simulated: the host cannot tell. */
export interface Pipe {
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
  /**
   * All views go out in one write; they must not change afterwards. Nothing happens once the pipe is closed.
   * @returns false when the host should wait for `drained()`
   */
  write(bytes: Segments): boolean;
  /**
   * From here on everything is encrypted, once what was written before has gone out. Answered by `secured()`, or by
   * `closed()` with a TlsError; until then nothing may be written. To be called once, also before the pipe has its host.
   * What has been given to the host before came in clear, and is the host's to throw away.
   */
  secure(how: Securing): void;
  /** No more `data()` until `resume()`; a close of the peer may then be noticed only afterwards. */
  pause(): void;
  resume(): void;
  /** Closes after what was written has gone out. No `data()` comes any more; a peer that does not close is cut off. */
  end(): void;
  /** Closes now; what was not sent is lost. */
  destroy(): void;
}

/** After `closed` nothing else is called. It comes exactly once, whoever closed. */
export interface PipeHost {
  /** The chunk's buffer belongs to the host from now on. */
  data(chunk: Uint8Array): void;
  drained(): void;
  /** The handshake that `secure()` asked for is done. */
  secured?(facts: TlsFacts): void;
  /**
   * The peer sends nothing more but may still read. Who has this says its last words and calls `end()`; without it the
   * pipe ends itself, and what is not written by then is not sent.
   */
  ended?(): void;
  /** `why` is undefined when the peer closed in order, or we did. */
  closed(why?: NetworkError): void;
}

export interface ConnectHost extends PipeHost {
  opened(): void;
}

export interface Datagrams {
  send(bytes: Uint8Array, to: { readonly ip: string; readonly port: number }): void;
  close(): void;
}

export interface DatagramHost {
  received(bytes: Uint8Array, from: { readonly ip: string; readonly port: number }): void;
  /** @param to  who could not be sent to; undefined when it is the socket itself */
  failed(why: NetworkError, to?: { readonly ip: string; readonly port: number }): void;
}

/** `code` is the system's name of the trouble: ECONNREFUSED, EADDRINUSE, ECONNRESET … */
export class NetworkError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A handshake has failed, or a context cannot be made. The message is for operators. */
export class TlsError extends NetworkError {
  readonly trouble: TlsTrouble;
  /** The peer went away in the middle of the handshake, and nobody knows why: the next one may end well. */
  readonly gone: boolean;
  constructor(
    message: string,
    options: ErrorOptions & { readonly trouble?: TlsTrouble; readonly gone?: boolean } = {},
  ) {
    super('ETLS', message, options.cause === undefined ? undefined : { cause: options.cause });
    this.trouble = options.trouble ?? 'other';
    this.gone = options.gone ?? false;
  }
}

export interface Disk {
  /** `create` makes a new file and fails when there is one; `append` makes it when there is none. */
  open(path: string, how: 'read' | 'append' | 'create', mode?: number): Promise<DiskFile>;
  /** A whole small file. @throws DiskError */
  read(path: string): Promise<Uint8Array>;
  /** Old or new, never half: temporary file, sync, rename, sync of the directory. Keeps the mode of an existing file. */
  replace(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /**
   * @param links `kept`: of a symbolic link itself, and not of what it leads to
   * @returns undefined when there is nothing at that path
   */
  status(path: string, links?: 'followed' | 'kept'): Promise<FileStatus | undefined>;
  /**
   * @returns whether `replace` would be allowed to put a file there: the file, when there is one, and its directory are
   *   open to this process for writing
   * @throws DiskError when it cannot be told
   */
  writable(path: string): Promise<boolean>;
  /** With all its parents; no error when it exists. */
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** Makes creations, renames and removals in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** @returns bytes that may still be written in the file system of `path` */
  free(path: string): Promise<number>;
  /** One owner, as long as the process lives. @throws DiskError with code ELOCKED, naming the owner where it is known */
  lock(path: string): Promise<AsyncDisposable>;
}

export interface DiskFile {
  /** Bytes in the file when it was opened. */
  readonly size: number;
  /**
   * Writes all of it, at `at` or behind the end; the views must not change until it resolves. Writes without `at` go
   * out in the order of the calls when each waits for the one before. A file opened with `append` follows its end
   * when another process writes to it or shortens it.
   * @throws DiskError; then nobody knows how much is in the file
   */
  write(bytes: Segments, at?: number): Promise<void>;
  /** What was written before the call survives a power cut once this resolves. */
  sync(): Promise<void>;
  /** @returns fewer bytes than asked only at the end of the file */
  read(at: number, length: number): Promise<Uint8Array>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'socket' | 'link' | 'other';
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: Millis;
  readonly mode: number;
  /** The system's number of the user it belongs to. */
  readonly owner: number;
  /** The system's number of its file system: a mount point has another one than the directory it stands in. */
  readonly device: number;
}

/** Work on secrets that takes so long that it must not hold up the loop. */
export interface Hashing {
  /** PBKDF2 with HMAC-SHA-256 and 32 bytes of result (RFC 8018), which is `Hi` of RFC 5802. */
  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array>;
}

/** `code` is the system's name of the trouble: ENOSPC, EACCES, ENOENT, EIO, ELOCKED … */
export class DiskError extends Error {
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

/** What HTTP servers have to give: whole small documents, such as a part of a configuration, and answers to questions. */
export interface Web {
  /**
   * GET of an `http:` or `https:` URL. Never rejects. Redirections are followed, but never from https to http.
   *
   * @param limits the milliseconds that all of it may take, and the bytes that the document may have
   */
  get(url: string, limits: WebLimits): Promise<WebAnswer>;
  /**
   * One request to an `http:` or `https:` URL. Never rejects; what the status means is the caller's to judge.
   * Redirections are not followed: what is sent may be a secret. It may be sent twice when a connection that was kept
   * breaks before anything came back.
   */
  send(request: WebRequest, limits: WebLimits): Promise<WebReply>;
}

export interface WebRequest {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** With https, who may sign certificates: a PEM bundle, or those that come with the runtime; `unverified`: anybody is believed. */
  readonly authorities: Uint8Array | 'public' | 'unverified';
}

/** `why` is for people, as that of `WebAnswer`. */
export type WebReply =
  | { readonly kind: 'answered'; readonly status: number; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly why: string };

export interface WebLimits {
  readonly timeoutMillis: number;
  readonly mostBytes: number;
}

/** `missing` is a 404 or 410; `why` is for people: `status 500`, `ECONNREFUSED`, `no answer within 10 s`. */
export type WebAnswer =
  | { readonly kind: 'found'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' | 'failed'; readonly why: string };

export type RecordType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'CNAME' | 'PTR';

/**
 * One record's data: an address, a name, a preference with a name, or strings. Names are lower case, without the
 * trailing dot; the root, which is the host of a null MX (RFC 7505), is ''.
 */
export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'MX'; readonly preference: number; readonly host: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly name: string }
  | { readonly type: 'TXT'; readonly strings: readonly Uint8Array[] };

export type DnsAnswer =
  | {
      readonly kind: 'found';
      readonly records: readonly DnsRecord[];
      readonly ttl: Seconds;
      readonly authentic: boolean;
    }
  /** `no data`: the name exists without such records. `no name`: NXDOMAIN, also behind a CNAME. */
  | { readonly kind: 'no data' | 'no name'; readonly ttl: Seconds }
  | { readonly kind: 'failed'; readonly why: 'timeout' | 'server failure' | 'refused' | 'malformed' | 'unreachable' };

/** The resolver as the rest of the house sees it. Never rejects. */
export interface Names {
  lookup(name: string, type: RecordType): Promise<DnsAnswer>;
}
