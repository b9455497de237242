import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  type StoreConnection,
  StoreError,
  type StoreLimits,
  type StoreQuestion,
  type StoreRows,
  type StoreTrouble,
} from '../../stores.ts';
import { storeError, within } from './texts.ts';

/** The answer of the worker. */
export type SqliteAnswer =
  | { readonly kind: 'rows'; readonly rows: StoreRows }
  | { readonly kind: 'trouble'; readonly trouble: StoreTrouble; readonly text: string };

/** What the worker is asked. */
export interface SqliteOrder {
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly mostRows: number;
}

/**
 * A database in a file. Node's binding answers in the thread that asks: each connection has one of its own, so that a
 * slow query or a lock does not hold up the mail, and can be ended.
 *
 * @throws StoreError
 */
export async function connectSqlite(path: string, timeoutMillis: number): Promise<StoreConnection> {
  // SQLite would make an empty database of a path that was mistyped.
  if (!existsSync(path)) throw new StoreError('unreachable', `there is no file ${path}`);
  const program = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
  const worker = new Worker(new URL(program, import.meta.url), { workerData: { path, busyMillis: timeoutMillis } });
  worker.unref();
  const connection = new SqliteConnection(worker);
  try {
    await connection.opened(timeoutMillis);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

class SqliteConnection implements StoreConnection {
  readonly #worker: Worker;
  usable = true;

  constructor(worker: Worker) {
    this.#worker = worker;
    // Heard at all times: an error that nobody hears would end the server.
    worker.on('error', () => {
      this.usable = false;
    });
    worker.on('exit', () => {
      this.usable = false;
    });
  }

  async opened(timeoutMillis: number): Promise<void> {
    const answer = await within(timeoutMillis, this.#answer(), () => undefined);
    if (answer.kind === 'trouble') throw new StoreError('unreachable', answer.text);
  }

  async ask(question: StoreQuestion, { timeoutMillis, mostRows }: StoreLimits): Promise<StoreRows> {
    if (question.kind !== 'sql') throw new StoreError('refused', 'SQLite is asked in SQL');
    const coming = this.#answer();
    this.#worker.postMessage({ text: question.text, values: question.values, mostRows } satisfies SqliteOrder);
    const answer = await within(timeoutMillis, coming, () => {
      this.usable = false;
    });
    if (answer.kind === 'rows') return answer.rows;
    throw new StoreError(answer.trouble, answer.text);
  }

  async close(): Promise<void> {
    this.usable = false;
    await this.#worker.terminate();
  }

  #answer(): Promise<SqliteAnswer> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      const lost = (why: unknown): void => {
        worker.off('message', heard);
        reject(storeError('lost', why instanceof Error ? why : new Error('the thread of the database has ended')));
      };
      const heard = (answer: SqliteAnswer): void => {
        worker.off('error', lost);
        worker.off('exit', lost);
        resolve(answer);
      };
      worker.once('message', heard);
      worker.once('error', lost);
      worker.once('exit', lost);
    });
  }
}
