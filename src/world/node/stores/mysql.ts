import type { Connection, ConnectionOptions } from 'mysql2';
import {
  type SqlServer,
  type StoreConnection,
  StoreError,
  type StoreLimits,
  type StoreQuestion,
  type StoreRows,
  type StoreTls,
  type StoreValue,
} from '../../stores.ts';
import { codeOf, connectedBy, rowOf, storeError, tlsOptions, within } from './texts.ts';

/** @throws StoreError */
export function connectMysql(target: SqlServer, timeoutMillis: number): Promise<StoreConnection> {
  const ways: readonly StoreTls[] = target.tls === 'offered' ? ['required', 'never'] : [target.tls];
  const lacksTls = ({ cause }: StoreError): boolean => codeOf(cause) === 'HANDSHAKE_NO_SSL_SUPPORT';
  return connectedBy(ways, (tls) => connected(target, tls, timeoutMillis), lacksTls);
}

async function connected(target: SqlServer, tls: StoreTls, timeoutMillis: number): Promise<StoreConnection> {
  const { createConnection } = await import('mysql2');
  const socket = target.host.startsWith('/');
  const settings: ConnectionOptions = {
    ...(socket ? { socketPath: target.host } : { host: target.host, port: target.port }),
    ...(target.database === undefined ? {} : { database: target.database }),
    ...(target.user === undefined ? {} : { user: target.user }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(tls === 'never' || socket ? {} : { ssl: tlsOptions(tls) }),
    charset: 'utf8mb4',
    connectTimeout: timeoutMillis,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: false,
    multipleStatements: false,
    rowsAsArray: true,
    maxPreparedStatements: 100,
  };
  const connection = createConnection(settings);
  const opened = new MysqlConnection(connection);
  const connecting = new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  try {
    await within(timeoutMillis, connecting, () => connection.destroy());
  } catch (error) {
    connection.destroy();
    throw storeError(
      /^ER_(?:ACCESS_DENIED|DBACCESS|BAD_DB)/.test(codeOf(error)) ? 'credentials' : 'unreachable',
      error,
    );
  }
  return opened;
}

class MysqlConnection implements StoreConnection {
  readonly #connection: Connection;
  usable = true;

  constructor(connection: Connection) {
    this.#connection = connection;
    const broken = (): void => {
      this.usable = false;
    };
    connection.on('error', broken);
    connection.on('end', broken);
  }

  async ask(question: StoreQuestion, { timeoutMillis, mostRows }: StoreLimits): Promise<StoreRows> {
    if (question.kind !== 'sql') throw new StoreError('refused', 'MySQL is asked in SQL');
    const rows: (readonly StoreValue[])[] = [];
    let columns: readonly string[] = [];
    const done = new Promise<StoreRows>((resolve, reject) => {
      const query = this.#connection.execute({ sql: question.text, rowsAsArray: true }, [...question.values]);
      query.on('fields', (fields: readonly { readonly name: string }[] | undefined) => {
        columns = fields?.map(({ name }) => name) ?? [];
      });
      query.on('result', (row: unknown) => {
        // A statement without rows tells how many it has changed.
        if (Array.isArray(row) && rows.length < mostRows) rows.push(rowOf(row));
      });
      query.on('error', reject);
      query.on('end', () => resolve({ columns, rows }));
    });
    try {
      return await within(timeoutMillis, done, () => {
        this.usable = false;
        this.#connection.destroy();
      });
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const code = codeOf(error);
      const fatal = typeof error === 'object' && error !== null && 'fatal' in error && error.fatal === true;
      const lost = fatal || !code.startsWith('ER_') || code === 'ER_SERVER_SHUTDOWN' || code === 'ER_CONNECTION_KILLED';
      if (lost) this.usable = false;
      throw storeError(lost ? 'lost' : 'refused', error);
    }
  }

  async close(): Promise<void> {
    if (!this.usable) {
      this.#connection.destroy();
      return;
    }
    this.usable = false;
    const ended = new Promise<void>((resolve) => {
      this.#connection.end(() => resolve());
    });
    await within(1000, ended, () => this.#connection.destroy()).catch(() => undefined);
  }
}
