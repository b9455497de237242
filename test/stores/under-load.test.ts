import { expect, type TestContext, test } from 'vitest';
import { Client, letter } from '../end-to-end/client.ts';
import { eventually, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { needStores, PASSWORD, postgres, USER } from './stores.ts';

const SESSIONS = 8;
const LOGIN = `AUTH PLAIN ${Buffer.from('\0ann\0secret').toString('base64')}`;

/** Sessions that log in, send one message each and come again, until they are stopped. */
class Load {
  readonly accepted: string[] = [];
  readonly #replies = new Map<string, number>();
  #going = true;
  readonly #sessions: readonly Promise<void>[];

  constructor(port: number) {
    this.#sessions = Array.from({ length: SESSIONS }, async (_, session) => {
      for (let count = 0; this.#going; count++) await this.#session(port, `user-${session}-${count}@dest.test`);
    });
  }

  /** How often AUTH was answered so. */
  answered(code: string): number {
    return this.#replies.get(code) ?? 0;
  }

  get codes(): readonly string[] {
    return [...this.#replies.keys()].sort();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#sessions);
  }

  async #session(port: number, recipient: string): Promise<void> {
    await using client = await Client.connect(port);
    const code = (await client.says(LOGIN)).slice(0, 9);
    this.#replies.set(code, this.answered(code) + 1);
    if (code !== '235 2.7.0') return;
    const said = await client.transaction('ann@origin.test', [recipient], letter('load'));
    if (!said.startsWith('250')) throw new Error(said);
    this.accepted.push(recipient);
    await client.says('QUIT');
  }
}

test('PostgreSQL goes down and comes up again under load: 454 meanwhile, and every message that was accepted arrives', {
  timeout: 120_000,
}, async (context: TestContext) => {
  needStores(context);
  await using store = await postgres();
  await store.asks({ kind: 'sql', text: 'CREATE TABLE users (name text, password text)', values: [] });
  await store.asks({ kind: 'sql', text: "INSERT INTO users VALUES ('ann', 'secret')", values: [] });
  await using sink = await SinkProcess.start();
  using scratch = new Scratch();
  const where = `host=127.0.0.1;port=${store.port};dbname=postgres;user=${USER};password='${PASSWORD.replace("'", "''")}'`;
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: `
Relay_Hosts = ( )
Datasource "db" { uri = ( "pgsql:${where}" ) no_cache = true query_timeout = 2 max_connections = 4 }
auth_ds {
  Scheme "stored" {
    Authenticate {
      query = "SELECT password FROM users WHERE name = :user"
      cache = "db" map = [ user = "%{username}" ] returns_password = true password_column = "password"
    }
  }
}
ESMTP_Listener {
  SMTP_Extensions = ( "ENHANCEDSTATUSCODES" "AUTH PLAIN" )
  AuthPlainParameters = [ uri = "stored://" ]
}
`,
  });
  const pid = server.process.pid;
  const load = new Load(server.port);
  await eventually('logins', () => load.answered('235 2.7.0') > 50);
  for (const how of ['killed', 'stopped'] as const) {
    await store.down(how);
    const refused = load.answered('454 4.7.0');
    await eventually(`refusals while it is ${how}`, () => load.answered('454 4.7.0') > refused + 50);
    // Mail of those who need no store goes on: the door answers others meanwhile.
    await using other = await Client.connect(server.port);
    expect(await other.says('NOOP')).toMatch(/^250 /);
    await store.up();
    const granted = load.answered('235 2.7.0');
    await eventually('logins again', () => load.answered('235 2.7.0') > granted + 50, 60_000);
  }
  await load.stop();
  expect(load.codes).toEqual(['235 2.7.0', '454 4.7.0']);
  const wanted = load.accepted.toSorted();
  await eventually('the mail', () => sink.arrived.length >= wanted.length);
  expect(sink.arrived.flatMap(({ to }) => to).toSorted()).toEqual(wanted);
  expect([server.process.over, server.process.pid]).toEqual([false, pid]);
  const told = async (): Promise<readonly (string | undefined)[]> =>
    (await server.log('paniclog'))
      .split('\n')
      .filter((line) => line.includes('datasource db'))
      .map((line) => /is down|answers again/.exec(line)?.[0]);
  // Written a moment after it happened.
  await eventually('the last word of it in the paniclog', async () => (await told()).length >= 4);
  expect(await told()).toEqual(['is down', 'answers again', 'is down', 'answers again']);
});
