import type { Client, Entry } from 'ldapts';
import {
  type LdapSearch,
  type StoreConnection,
  StoreError,
  type StoreLimits,
  type StoreQuestion,
  type StoreRows,
  type StoreTarget,
  type StoreValue,
} from '../../stores.ts';
import { storeError, textOf, within } from './texts.ts';

/** Result codes of RFC 4511 §4.1.9. */
const NO_SUCH_OBJECT = 32;
const BUSY = 51;
const UNAVAILABLE = 52;
const UNWILLING = 53;

/** @throws StoreError */
export async function connectLdap(
  target: Extract<StoreTarget, { kind: 'ldap' }>,
  timeoutMillis: number,
): Promise<StoreConnection> {
  const { Client, InvalidCredentialsError, ResultCodeError } = await import('ldapts');
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const client = new Client({
    url: `${target.tls ? 'ldaps' : 'ldap'}://${host}:${target.port}`,
    timeout: timeoutMillis,
    connectTimeout: timeoutMillis,
  });
  const { bind } = target;
  try {
    // RFC 4513 §5.1.2: a name without a password is not authenticated, and servers say yes to it.
    if (bind !== undefined && bind.dn !== '' && bind.password === '')
      throw new StoreError('credentials', `no password for ${bind.dn}`);
    await within(timeoutMillis, client.bind(bind?.dn ?? '', bind?.password ?? ''), () => void close(client));
  } catch (error) {
    await close(client);
    if (error instanceof InvalidCredentialsError) throw storeError('credentials', error);
    // A directory that has no such entry, or whose rules forbid it, does not know the user either.
    const unknown =
      error instanceof ResultCodeError &&
      ((error.code >= NO_SUCH_OBJECT && error.code < BUSY) || error.code === UNWILLING);
    throw storeError(unknown ? 'credentials' : 'unreachable', error);
  }
  return new LdapConnection(client, (error) => (error instanceof ResultCodeError ? error.code : undefined));
}

const close = (client: Client): Promise<void> => client.unbind().catch(() => undefined);

class LdapConnection implements StoreConnection {
  readonly #client: Client;
  readonly #codeOf: (error: unknown) => number | undefined;
  #usable = true;

  constructor(client: Client, codeOf: (error: unknown) => number | undefined) {
    this.#client = client;
    this.#codeOf = codeOf;
  }

  get usable(): boolean {
    return this.#usable && this.#client.isConnected;
  }

  async ask(question: StoreQuestion, limits: StoreLimits): Promise<StoreRows> {
    if (question.kind === 'bound') return { columns: ['bind'], rows: [['1']] };
    if (question.kind !== 'search') throw new StoreError('refused', 'a directory is asked by searches');
    try {
      const found = await within(limits.timeoutMillis, this.#search(question, limits), () => {
        this.#usable = false;
      });
      return rowsOf(found.slice(0, limits.mostRows), question);
    } catch (error) {
      if (error instanceof StoreError) {
        if (error.trouble === 'timeout') void this.close();
        throw error;
      }
      // noSuchObject: the base is not there, and nothing below it.
      const code = this.#codeOf(error);
      if (code === NO_SUCH_OBJECT) return { columns: [], rows: [] };
      const refused = code !== undefined && code !== BUSY && code !== UNAVAILABLE;
      // A filter that cannot be read never goes out: the connection is as it was.
      const unread = code === undefined && this.usable;
      if (!refused && !unread) this.#usable = false;
      throw storeError(refused || unread ? 'refused' : 'lost', error);
    }
  }

  async #search(
    { base, scope, filter, attributes }: LdapSearch,
    { mostRows, timeoutMillis }: StoreLimits,
  ): Promise<readonly Entry[]> {
    const most = mostRows < 2 ** 31 - 1 ? mostRows : 0;
    const { searchEntries } = await this.#client.search(base, {
      scope,
      filter,
      attributes: [...attributes],
      // Pages, so that a directory with a limit of its own gives what it has.
      paged: most === 0 || most > 500 ? { pageSize: 500 } : false,
      sizeLimit: 0,
      timeLimit: Math.ceil(timeoutMillis / 1000),
    });
    return searchEntries;
  }

  async close(): Promise<void> {
    this.#usable = false;
    await close(this.#client);
  }
}

function rowsOf(entries: readonly Entry[], { attributes, dnColumn }: LdapSearch): StoreRows {
  const columns = new Map<string, string>();
  const name = (column: string): void => {
    if (!columns.has(column.toLowerCase())) columns.set(column.toLowerCase(), column);
  };
  if (dnColumn !== undefined) name(dnColumn);
  // Attributes of a query are named as it names them: descriptions are compared without regard to case (RFC 4512 §2.5).
  for (const attribute of attributes) if (attribute !== '*' && attribute !== '+') name(attribute);
  for (const entry of entries) for (const key of Object.keys(entry)) if (key !== 'dn') name(key);
  const titles = [...columns.keys()];
  const rows = entries.map((entry) => {
    const values = new Map(Object.entries(entry).map(([key, value]) => [key.toLowerCase(), valueIn(value)]));
    if (dnColumn !== undefined) values.set(dnColumn.toLowerCase(), entry.dn);
    else values.delete('dn');
    return titles.map((title): StoreValue => values.get(title) ?? null);
  });
  return { columns: [...columns.values()], rows };
}

function valueIn(value: Entry[string]): StoreValue {
  if (!Array.isArray(value)) return textOf(value);
  const texts = [...value].map((each) => textOf(each) ?? '');
  return texts.length === 0 ? null : texts.length === 1 ? (texts[0] ?? null) : texts;
}
