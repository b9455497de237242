import { millis } from '../../base/index.ts';
import {
  type StoreConnection,
  StoreError,
  type StoreKind,
  type StoreLimits,
  type StoreQuestion,
  type StoreRows,
  type Stores,
  type StoreTarget,
} from '../stores.ts';
import type { Clock } from '../world.ts';

/** What a simulated store answers: rows, or a StoreError that it throws; undefined is silence. */
export type SimAnswer = (question: StoreQuestion, target: StoreTarget) => StoreRows | undefined;

/** One store, up or down. */
export class SimStore {
  answer: SimAnswer;
  up = true;
  /** Accepts, and then says nothing. */
  silent = false;
  /** Everything that it was asked, in order. */
  readonly asked: StoreQuestion[] = [];
  /** Connections that were opened, whatever became of them. */
  connects = 0;
  readonly open = new Set<SimStoreConnection>();

  constructor(answer: SimAnswer) {
    this.answer = answer;
  }

  /** As a server that is stopped: its connections are lost. */
  stop(): void {
    this.up = false;
    for (const connection of this.open) connection.lose();
  }

  start(): void {
    this.up = true;
  }
}

/** Stores by their address, without any protocol: what is tested is everything above. */
export class SimStores implements Stores {
  readonly #clock: Clock;
  readonly #stores = new Map<string, SimStore>();
  /** Kinds whose package is not installed. */
  readonly absent = new Set<StoreKind>();
  /** Of connecting, and of each answer. */
  latencyMillis = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param at  `10.0.0.5:5432`, or the path of a file or socket */
  put(at: string, answer: SimAnswer): SimStore {
    const store = new SimStore(answer);
    this.#stores.set(at, store);
    return store;
  }

  async missing(kind: StoreKind): Promise<string | undefined> {
    return this.absent.has(kind) ? kind : undefined;
  }

  async connect(target: StoreTarget, timeoutMillis: number): Promise<StoreConnection> {
    if (this.absent.has(target.kind))
      throw new StoreError('missing package', `the npm package ${target.kind} is not installed`);
    const at =
      target.kind === 'sqlite'
        ? target.path
        : target.host.startsWith('/')
          ? target.host
          : `${target.host}:${target.port}`;
    const store = this.#stores.get(at);
    await this.pass(this.latencyMillis);
    if (store?.silent === true) {
      await this.pass(timeoutMillis);
      throw new StoreError('timeout', `no answer within ${Math.ceil(timeoutMillis / 1000)} s`);
    }
    if (store?.up !== true) throw new StoreError('unreachable', `connect ECONNREFUSED ${at}`);
    store.connects++;
    return new SimStoreConnection(this, store, target);
  }

  pass(time: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.at(millis(this.#clock.now() + time), resolve);
    });
  }
}

class SimStoreConnection implements StoreConnection {
  readonly #stores: SimStores;
  readonly #store: SimStore;
  readonly #target: StoreTarget;
  usable = true;

  constructor(stores: SimStores, store: SimStore, target: StoreTarget) {
    this.#stores = stores;
    this.#store = store;
    this.#target = target;
    store.open.add(this);
  }

  lose(): void {
    this.usable = false;
    this.#store.open.delete(this);
  }

  async ask(question: StoreQuestion, { timeoutMillis, mostRows }: StoreLimits): Promise<StoreRows> {
    this.#store.asked.push(question);
    await this.#stores.pass(this.#stores.latencyMillis);
    if (!this.usable) throw new StoreError('lost', 'the connection was closed');
    const found = this.#store.silent ? undefined : this.#store.answer(question, this.#target);
    if (found === undefined) {
      await this.#stores.pass(timeoutMillis);
      this.lose();
      throw new StoreError('timeout', `no answer within ${Math.ceil(timeoutMillis / 1000)} s`);
    }
    return { columns: found.columns, rows: found.rows.slice(0, mostRows) };
  }

  async close(): Promise<void> {
    this.lose();
  }
}
