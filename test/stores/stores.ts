import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import type { SqlServer, StoreQuestion, StoreTarget, StoreTls } from '../../src/world/index.ts';
import { nodeWorld } from '../../src/world/node/index.ts';
import { eventually, freePort } from '../end-to-end/harness.ts';
import { find } from '../peers/peers.ts';

/** Who may connect to each of them. */
export const USER = 'impetus';
export const PASSWORD = "it's;secret";

/** A server of somebody else's with a data folder of its own, on loopback. */
export class StoreServer implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  readonly #start: (server: StoreServer) => ChildProcess;
  readonly #target: (server: StoreServer) => StoreTarget;
  #child: ChildProcess | undefined;
  #errors = '';

  constructor(
    port: number,
    start: (server: StoreServer) => ChildProcess,
    target: (server: StoreServer) => StoreTarget,
  ) {
    this.port = port;
    this.directory = mkdtempSync(join(tmpdir(), 'impetus-store-'));
    // Servers that may not run as root must get in.
    chmodSync(this.directory, 0o755);
    this.#start = start;
    this.#target = target;
  }

  async up(): Promise<this> {
    const child = this.#start(this);
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    await eventually(`a store on port ${this.port}`, async () => {
      if (child.exitCode !== null) throw new Error(`the store ended: ${this.#errors}`);
      return nodeWorld()
        .stores.connect(this.#target(this), 2000)
        .then(async (connection) => {
          await connection.close();
          return true;
        })
        .catch(() => false);
    });
    return this;
  }

  /** As a machine that dies, or in order: PostgreSQL would wait for its clients if it were not told otherwise. */
  async down(how: 'killed' | 'stopped' = 'killed'): Promise<void> {
    const signal =
      how === 'killed' ? 'SIGKILL' : this.#child?.spawnfile.endsWith('postgres') === true ? 'SIGINT' : 'SIGTERM';
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async asks(question: StoreQuestion): Promise<void> {
    const connection = await nodeWorld().stores.connect(this.#target(this), 5000);
    await connection.ask(question, { timeoutMillis: 5000, mostRows: 10 });
    await connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Installs the stores where they are missing. A user who may not do so skips the test, and is told why. */
export function needStores(context: TestContext): void {
  if (stores().every((program) => program !== undefined)) return;
  if (process.getuid?.() !== 0 || find('apt-get') === undefined)
    context.skip(
      'the stores are not on this machine, and only root on Debian can install them (test/stores/install.sh)',
    );
  const script = fileURLToPath(new URL('install.sh', import.meta.url));
  execFileSync('sh', [script], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
}

const stores = (): readonly (string | undefined)[] => [
  postgresFolder(),
  find('mariadbd'),
  find('redis-server'),
  find('slapd'),
];

function postgresFolder(): string | undefined {
  const all = '/usr/lib/postgresql';
  const [version] = existsSync(all) ? readdirSync(all).sort((one, other) => Number(other) - Number(one)) : [];
  return version === undefined ? undefined : join(all, version, 'bin');
}

/** The user that a package has made for its server; nobody else when we are not root. */
function account(name: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (which: string): number => Number(execFileSync('id', [which, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

const quiet = ['ignore', 'ignore', 'pipe'] as const;

function owned(directory: string, name: string): string {
  const path = join(directory, 'data');
  mkdirSync(path, { mode: 0o700 });
  const { uid, gid } = account(name);
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  return path;
}

const sqlTarget =
  (kind: SqlServer['kind'], database: string, tls: StoreTls) =>
  ({ port }: StoreServer): StoreTarget => ({
    ...{ kind, host: '127.0.0.1', port, database, tls },
    user: USER,
    password: PASSWORD,
  });

export async function postgres(): Promise<StoreServer> {
  const bin = postgresFolder() ?? '';
  const who = account('postgres');
  const server = new StoreServer(
    await freePort(),
    ({ directory, port }) =>
      spawn(
        join(bin, 'postgres'),
        [
          '-D',
          join(directory, 'data'),
          '-p',
          `${port}`,
          '-c',
          'listen_addresses=127.0.0.1',
          '-c',
          'unix_socket_directories=',
          '-F',
        ],
        { ...who, stdio: [...quiet], cwd: '/' },
      ),
    sqlTarget('pgsql', 'postgres', 'offered'),
  );
  const data = owned(server.directory, 'postgres');
  const secret = join(server.directory, 'password');
  writeFileSync(secret, `${PASSWORD}\n`);
  chmodSync(secret, 0o644);
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${secret}`, '--no-sync', '-E', 'UTF8', '--locale=C'],
    { ...who, stdio: [...quiet], cwd: '/' },
  );
  return server.up();
}

export async function mariadb(): Promise<StoreServer> {
  const who = account('mysql');
  const server = new StoreServer(
    await freePort(),
    ({ directory, port }) => {
      const data = join(directory, 'data');
      return spawn(
        find('mariadbd') ?? '',
        [
          '--no-defaults',
          `--datadir=${data}`,
          `--port=${port}`,
          '--bind-address=127.0.0.1',
          `--socket=${data}/sock`,
          `--init-file=${directory}/init.sql`,
          `--pid-file=${data}/pid`,
          '--innodb-flush-log-at-trx-commit=0',
          '--innodb-buffer-pool-size=8M',
        ],
        { ...who, stdio: [...quiet], cwd: '/' },
      );
    },
    sqlTarget('mysql', 'mail', 'never'),
  );
  const data = owned(server.directory, 'mysql');
  const quoted = PASSWORD.replaceAll("'", "''");
  writeFileSync(
    join(server.directory, 'init.sql'),
    `CREATE DATABASE IF NOT EXISTS mail;\nCREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${quoted}';\nGRANT ALL ON mail.* TO '${USER}'@'%';\n`,
  );
  execFileSync(
    find('mariadb-install-db') ?? '',
    ['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--auth-root-authentication-method=normal'],
    { ...who, stdio: [...quiet], cwd: '/' },
  );
  return server.up();
}

export async function redis(): Promise<StoreServer> {
  const server = new StoreServer(
    await freePort(),
    ({ directory, port }) =>
      spawn(
        find('redis-server') ?? '',
        [
          '--port',
          `${port}`,
          '--bind',
          '127.0.0.1',
          '--dir',
          directory,
          '--save',
          '',
          '--appendonly',
          'yes',
          '--requirepass',
          PASSWORD,
        ],
        { stdio: [...quiet] },
      ),
    ({ port }) => ({
      kind: 'redis',
      host: '127.0.0.1',
      port,
      database: 0,
      user: undefined,
      password: PASSWORD,
      tls: 'never',
    }),
  );
  return server.up();
}

/** @param entries  LDIF below dc=example,dc=com */
export async function slapd(entries: string): Promise<StoreServer> {
  const server = new StoreServer(
    await freePort(),
    ({ directory, port }) =>
      spawn(find('slapd') ?? '', ['-f', join(directory, 'slapd.conf'), '-h', `ldap://127.0.0.1:${port}`, '-d', '0'], {
        stdio: [...quiet],
      }),
    ({ port }) => ({
      kind: 'ldap',
      host: '127.0.0.1',
      port,
      tls: false,
      bind: { dn: `cn=${USER},dc=example,dc=com`, password: PASSWORD },
    }),
  );
  mkdirSync(join(server.directory, 'data'));
  const schema = ['core', 'cosine', 'inetorgperson']
    .map((name) => `include /etc/ldap/schema/${name}.schema\n`)
    .join('');
  writeFileSync(
    join(server.directory, 'slapd.conf'),
    `${schema}modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nmaxsize 10485760\nsuffix "dc=example,dc=com"\n` +
      `rootdn "cn=${USER},dc=example,dc=com"\nrootpw "${PASSWORD}"\ndirectory ${server.directory}/data\ndbnosync\n` +
      'access to attrs=userPassword by anonymous auth by * none\naccess to * by users read by * none\n',
  );
  writeFileSync(join(server.directory, 'entries.ldif'), entries);
  execFileSync(
    find('slapadd') ?? '',
    ['-f', join(server.directory, 'slapd.conf'), '-l', join(server.directory, 'entries.ldif')],
    {
      stdio: [...quiet],
    },
  );
  return server.up();
}
