import type { RedisClientOptions } from '@redis/client';
import {
  type RedisServer,
  type StoreConnection,
  StoreError,
  type StoreLimits,
  type StoreQuestion,
  type StoreRows,
  type StoreValue,
} from '../../stores.ts';
import { storeError, textOf, tlsOptions, within } from './texts.ts';

/** @throws StoreError */
export async function connectRedis(target: RedisServer, timeoutMillis: number): Promise<StoreConnection> {
  const { createClient } = await import('@redis/client');
  const socket = {
    connectTimeout: timeoutMillis,
    // Who comes back, and when, is decided by the pool.
    reconnectStrategy: false as const,
  };
  const settings: RedisClientOptions = {
    socket: target.host.startsWith('/')
      ? { ...socket, path: target.host }
      : target.tls === 'never' || target.tls === 'offered'
        ? { ...socket, host: target.host, port: target.port }
        : { ...socket, host: target.host, port: target.port, tls: true, ...tlsOptions(target.tls) },
    ...(target.user === undefined ? {} : { username: target.user }),
    ...(target.password === undefined ? {} : { password: target.password }),
    database: target.database,
    disableOfflineQueue: true,
    RESP: 3,
  };
  const client = createClient(settings);
  const connection = new RedisConnection(client);
  try {
    await within(timeoutMillis, client.connect(), () => client.destroy());
  } catch (error) {
    if (client.isOpen) client.destroy();
    const text = error instanceof Error ? error.message : '';
    throw storeError(
      /^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:AUTH|invalid password))/.test(text) ? 'credentials' : 'unreachable',
      error,
    );
  }
  return connection;
}

interface Client {
  readonly isOpen: boolean;
  on(event: 'error' | 'end', hear: () => void): unknown;
  sendCommand(words: string[]): Promise<unknown>;
  destroy(): void;
}

class RedisConnection implements StoreConnection {
  readonly #client: Client;
  usable = true;

  constructor(client: Client) {
    this.#client = client;
    const broken = (): void => {
      this.usable = false;
    };
    client.on('error', broken);
    client.on('end', broken);
  }

  async ask(question: StoreQuestion, { timeoutMillis, mostRows }: StoreLimits): Promise<StoreRows> {
    if (question.kind !== 'redis') throw new StoreError('refused', 'Redis is asked in commands');
    try {
      const reply = await within(timeoutMillis, this.#client.sendCommand([...question.words]), () => {
        this.usable = false;
      });
      return rowsOf(reply, mostRows);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      // A reply that is an error begins with its code in capitals.
      const refused = error instanceof Error && /^[A-Z]{2,} /.test(error.message);
      if (!refused) this.usable = false;
      throw storeError(refused ? 'refused' : 'lost', error);
    }
  }

  async close(): Promise<void> {
    this.usable = false;
    if (this.#client.isOpen) this.#client.destroy();
  }
}

/** A map is one row with its keys as columns, a list one row for each item, anything else one row; nil is none. */
function rowsOf(reply: unknown, mostRows: number): StoreRows {
  if (reply === null || reply === undefined) return { columns: ['value'], rows: [] };
  if (reply instanceof Set) return rowsOf([...reply], mostRows);
  if (Array.isArray(reply))
    return { columns: ['value'], rows: reply.slice(0, mostRows).map((item): StoreValue[] => [textOf(item)]) };
  if (typeof reply === 'object' && !(reply instanceof Uint8Array)) {
    const entries = reply instanceof Map ? [...reply] : Object.entries(reply);
    if (entries.length === 0) return { columns: [], rows: [] };
    return { columns: entries.map(([key]) => String(key)), rows: [entries.map(([, value]) => textOf(value))] };
  }
  return { columns: ['value'], rows: [[textOf(reply)]] };
}
