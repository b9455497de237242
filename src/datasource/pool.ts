import { type Millis, millis } from '../base/index.ts';
import { type Chance, type Clock, type StoreConnection, StoreError } from '../world/index.ts';
import { BackOff } from './back-off.ts';

/** Who may wait for a connection; more are turned away. */
const MOST_WAITING = 1000;

export interface PoolLimits {
  readonly least: number;
  readonly most: number;
  /** Unused ones that are kept. */
  readonly mostIdle: number;
  readonly idleMillis: number;
  /** A connection that is older is not used again; infinite if nobody says so. */
  readonly lifeMillis: number;
}

export interface PoolParts {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'next'>;
  readonly limits: PoolLimits;
  /** @throws StoreError */
  open(): Promise<StoreConnection>;
  /** The store went away or came back: once for each change. */
  changed(trouble: StoreError | undefined): void;
}

interface Held {
  readonly connection: StoreConnection;
  readonly since: Millis;
  idleSince: Millis;
}

interface Waiting {
  readonly timer: Disposable;
  go(): void;
  fail(why: StoreError): void;
}

/**
 * Connections to one store: opened when they are wanted, used by one after the other, closed when nobody wants them. A
 * store that is down is left alone for a while, and whoever asks meanwhile is answered at once.
 */
export class Pool {
  readonly #parts: PoolParts;
  readonly #backOff: BackOff;
  #limits: PoolLimits;
  /** The one that was used last is at the end, and used next. */
  readonly #idle: Held[] = [];
  readonly #waiting = new Set<Waiting>();
  /** In use, or being opened. */
  #busy = 0;
  #tidy: Disposable | undefined;
  #closed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#limits = parts.limits;
    this.#backOff = new BackOff(parts.chance);
    this.#later();
  }

  get open(): number {
    return this.#busy + this.#idle.length;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get down(): boolean {
    return this.#backOff.down;
  }

  /** @returns milliseconds until the store may be tried again */
  get wait(): number {
    return this.#backOff.wait(this.#parts.clock.now());
  }

  adjust(limits: PoolLimits): void {
    this.#limits = limits;
    this.#later();
  }

  /**
   * Lends a connection, opened for this if need be.
   *
   * @param fresh  none that was used before
   * @param until  when the wait for one is over
   * @throws StoreError
   */
  async use<T>(
    until: Millis,
    work: (connection: StoreConnection, used: boolean) => Promise<T>,
    fresh = false,
  ): Promise<T> {
    await this.#turn(until);
    let held: Held | undefined;
    try {
      held = fresh ? undefined : this.#take();
      const used = held !== undefined;
      held ??= await this.#opened();
      return await work(held.connection, used);
    } finally {
      this.#busy--;
      if (held !== undefined) this.#giveBack(held);
      this.#next();
    }
  }

  /**
   * A connection of its own for one piece of work: it counts, and is not kept.
   *
   * @param here  it goes to the store of this pool
   */
  async apart<T>(
    until: Millis,
    here: boolean,
    open: () => Promise<StoreConnection>,
    work: (connection: StoreConnection) => Promise<T>,
  ): Promise<T> {
    await this.#turn(until);
    try {
      const connection = await (here ? this.#tried(open) : open());
      try {
        return await work(connection);
      } finally {
        await connection.close();
      }
    } finally {
      this.#busy--;
      this.#next();
    }
  }

  /** @returns how many were closed */
  flush(): number {
    const idle = this.#idle.splice(0);
    for (const { connection } of idle) void connection.close();
    return idle.length;
  }

  close(): void {
    this.#closed = true;
    this.#tidy?.[Symbol.dispose]();
    this.flush();
    for (const each of this.#waiting) each.fail(new StoreError('lost', 'the datasource is closed'));
  }

  /** Resolves when one more may be in use. */
  async #turn(until: Millis): Promise<void> {
    const { clock } = this.#parts;
    if (this.#closed) throw new StoreError('lost', 'the datasource is closed');
    if (this.#busy < this.#limits.most && this.#waiting.size === 0) {
      this.#busy++;
      return;
    }
    if (this.#waiting.size >= MOST_WAITING)
      throw new StoreError('unreachable', `${MOST_WAITING} queries wait for a connection already`);
    await new Promise<void>((resolve, reject) => {
      const end = (run: () => void): void => {
        waiting.timer[Symbol.dispose]();
        this.#waiting.delete(waiting);
        run();
      };
      const fail = (why: StoreError): void => end(() => reject(why));
      const waiting: Waiting = {
        timer: clock.at(until, () => fail(new StoreError('timeout', 'no connection became free in time'))),
        go: () =>
          end(() => {
            this.#busy++;
            resolve();
          }),
        fail,
      };
      this.#waiting.add(waiting);
    });
  }

  #next(): void {
    for (const each of this.#waiting) {
      if (this.#busy >= this.#limits.most) return;
      each.go();
    }
  }

  #take(): Held | undefined {
    for (let held = this.#idle.pop(); held !== undefined; held = this.#idle.pop()) {
      if (held.connection.usable && !this.#old(held)) return held;
      void held.connection.close();
    }
    return undefined;
  }

  async #opened(): Promise<Held> {
    const { clock, open } = this.#parts;
    const connection = await this.#tried(open);
    return { connection, since: clock.now(), idleSince: clock.now() };
  }

  async #tried(open: () => Promise<StoreConnection>): Promise<StoreConnection> {
    const wait = this.wait;
    if (wait > 0)
      throw new StoreError('unreachable', `it is down, and will be tried again in ${Math.ceil(wait / 1000)} s`);
    // A new connection needs a place among those that may be open.
    if (this.#busy + this.#idle.length > this.#limits.most) void this.#idle.shift()?.connection.close();
    try {
      const connection = await open();
      this.#up();
      return connection;
    } catch (error) {
      if (error instanceof StoreError && error.trouble === 'credentials' && open !== this.#parts.open) {
        // Whoever asks was not known: the store itself has answered.
        this.#up();
        throw error;
      }
      const { message } = error instanceof Error ? error : new Error(String(error));
      const kind = error instanceof StoreError && error.trouble !== 'timeout' ? error.trouble : 'unreachable';
      const trouble = new StoreError(kind, message, { cause: error });
      const wasDown = this.#backOff.down;
      this.#backOff.failed(this.#parts.clock.now());
      if (!wasDown) this.#parts.changed(trouble);
      throw trouble;
    }
  }

  #up(): void {
    const wasDown = this.#backOff.down;
    this.#backOff.succeeded();
    if (wasDown) this.#parts.changed(undefined);
  }

  #giveBack(held: Held): void {
    held.idleSince = this.#parts.clock.now();
    if (
      this.#closed ||
      !held.connection.usable ||
      this.open >= this.#limits.most ||
      this.idle >= this.#limits.mostIdle ||
      this.#old(held)
    )
      void held.connection.close();
    else this.#idle.push(held);
    this.#later();
  }

  #old(held: Held): boolean {
    return this.#parts.clock.now() - held.since >= this.#limits.lifeMillis;
  }

  /** Looks again after a while, as long as there is something to close or to keep open. */
  #later(): void {
    if (this.#closed || this.#tidy !== undefined) return;
    if (this.#idle.length === 0 && this.#limits.least === 0) return;
    const { clock } = this.#parts;
    const pause = Math.max(100, Math.min(this.#limits.idleMillis, 5000));
    this.#tidy = clock.at(millis(clock.now() + pause), () => {
      this.#tidy = undefined;
      this.#tidyUp();
      this.#later();
    });
  }

  #tidyUp(): void {
    const now = this.#parts.clock.now();
    const { least, idleMillis } = this.#limits;
    for (const held of [...this.#idle]) {
      const spare = this.open > least && now - held.idleSince >= idleMillis;
      if (held.connection.usable && !spare && !this.#old(held)) continue;
      this.#idle.splice(this.#idle.indexOf(held), 1);
      void held.connection.close();
    }
    const missing = least - this.open;
    for (let count = 0; count < missing; count++) this.use(now, async () => undefined, true).catch(() => undefined);
  }
}
