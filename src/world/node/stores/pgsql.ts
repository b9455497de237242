import type { Client, ClientConfig, QueryArrayConfig } from 'pg';
import {
  type SqlServer,
  type StoreConnection,
  StoreError,
  type StoreLimits,
  type StoreQuestion,
  type StoreRows,
  type StoreTrouble,
  type StoreValue,
} from '../../stores.ts';
import { bytesText, codeOf, connectedBy, storeError, textOf, tlsOptions, within } from './texts.ts';

/** Object identifiers of types (pg_type.dat) whose text form is not what a policy would want to see. */
const BOOL = 16;
const BYTEA = 17;

/** @throws StoreError */
export function connectPgsql(target: SqlServer, timeoutMillis: number): Promise<StoreConnection> {
  // A Unix socket has no TLS; else what libpq calls `prefer`: with TLS first, and without where the server has none.
  const ways =
    target.host.startsWith('/') || target.tls === 'never' ? [false] : target.tls === 'offered' ? [true, false] : [true];
  const lacksTls = ({ message }: StoreError): boolean => /does not support SSL/.test(message);
  return connectedBy(ways, (secure) => connected(target, secure, timeoutMillis), lacksTls);
}

async function connected(target: SqlServer, secure: boolean, timeoutMillis: number): Promise<StoreConnection> {
  const { default: pg } = await import('pg');
  const settings: ClientConfig = {
    host: target.host,
    port: target.port,
    ...(target.database === undefined ? {} : { database: target.database }),
    ...(target.user === undefined ? {} : { user: target.user }),
    // Without a password the package would look for one in the environment and in ~/.pgpass.
    password: target.password ?? '',
    ssl: secure ? tlsOptions(target.tls) : false,
    application_name: 'impetus',
    connectionTimeoutMillis: timeoutMillis,
    keepAlive: true,
  };
  const client = new pg.Client(settings);
  const connection = new PgConnection(client, (config) => new pg.Query<readonly StoreValue[]>(config));
  try {
    await within(timeoutMillis, client.connect(), () => void client.end().catch(() => undefined));
  } catch (error) {
    void client.end().catch(() => undefined);
    throw storeError(/^(?:28|3D|42501)/.test(codeOf(error)) ? 'credentials' : 'unreachable', error);
  }
  return connection;
}

type MakeQuery = (config: QueryArrayConfig) => InstanceType<typeof import('pg').Query<readonly StoreValue[]>>;

class PgConnection implements StoreConnection {
  readonly #client: Client;
  readonly #make: MakeQuery;
  usable = true;

  constructor(client: Client, make: MakeQuery) {
    this.#client = client;
    this.#make = make;
    const broken = (): void => {
      this.usable = false;
    };
    client.on('error', broken);
    client.on('end', broken);
  }

  async ask(question: StoreQuestion, { timeoutMillis, mostRows }: StoreLimits): Promise<StoreRows> {
    if (question.kind !== 'sql') throw new StoreError('refused', 'PostgreSQL is asked in SQL');
    const query = this.#make({
      text: question.text,
      values: [...question.values],
      rowMode: 'array',
      types: { getTypeParser: (type: number) => (text: unknown) => value(type, text) } as never,
    });
    const rows: (readonly StoreValue[])[] = [];
    let columns: readonly string[] = [];
    const done = new Promise<StoreRows>((resolve, reject) => {
      query.on('row', (row, result) => {
        columns = result?.fields.map(({ name }) => name) ?? columns;
        if (rows.length < mostRows) rows.push(row);
      });
      query.on('error', reject);
      query.on('end', (result) => {
        columns = result.fields.map(({ name }) => name);
        resolve({ columns, rows });
      });
    });
    this.#client.query(query);
    try {
      return await within(timeoutMillis, done, () => {
        this.usable = false;
      });
    } catch (error) {
      const trouble = this.#trouble(error);
      if (trouble !== 'refused') this.usable = false;
      throw storeError(trouble, error);
    }
  }

  #trouble(error: unknown): StoreTrouble {
    const code = codeOf(error);
    // SQLSTATE: class 57P is the server going away, 08 a broken connection; without a code the socket went.
    if (/^(?:57P|08)/.test(code) || !/^[0-9A-Z]{5}$/.test(code)) return 'lost';
    return 'refused';
  }

  async close(): Promise<void> {
    const wasUsable = this.usable;
    this.usable = false;
    if (wasUsable) await within(1000, this.#client.end(), () => undefined).catch(() => undefined);
    else void this.#client.end().catch(() => undefined);
  }
}

function value(type: number, text: unknown): StoreValue {
  if (typeof text !== 'string') return textOf(text);
  if (type === BOOL) return text === 't' ? '1' : '0';
  return type === BYTEA && text.startsWith('\\x') ? bytesText(Buffer.from(text.slice(2), 'hex')) : text;
}
