import { accessSync, constants } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SqliteAnswer, SqliteOrder } from './sqlite.ts';
import { rowOf } from './texts.ts';

/** The thread of one SQLite connection: says whether it is open, then answers one order after the other. */
const { path, busyMillis } = workerData as { readonly path: string; readonly busyMillis: number };
const say = (answer: SqliteAnswer): void => parentPort?.postMessage(answer);

try {
  const database = new DatabaseSync(path, { readOnly: !writable(path), timeout: busyMillis });
  // Reads what a file that is no database does not have.
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  parentPort?.on('message', (order: SqliteOrder) => say(answer(database, order)));
  say({ kind: 'rows', rows: { columns: [], rows: [] } });
} catch (error) {
  say(trouble(error));
}

function answer(database: DatabaseSync, { text, values, mostRows }: SqliteOrder): SqliteAnswer {
  try {
    const statement = database.prepare(text);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name }) => name);
    const rows = [];
    for (const row of statement.iterate(...values)) {
      if (rows.length >= mostRows) break;
      rows.push(rowOf(row as unknown as readonly unknown[]));
    }
    return { kind: 'rows', rows: { columns, rows } };
  } catch (error) {
    return trouble(error);
  }
}

function trouble(error: unknown): SqliteAnswer {
  return { kind: 'trouble', trouble: 'refused', text: error instanceof Error ? error.message : String(error) };
}

function writable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
