import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { authOptions } from '../../src/auth/index.ts';
import { ConfigErrors, loadConfiguration } from '../../src/config/index.ts';
import type { Events, MailEvent } from '../../src/events/index.ts';
import { type Listeners, listenerOptions, listeners } from '../../src/listener/index.ts';
import { idAllocator, type Message } from '../../src/message/index.ts';
import { policy } from '../../src/policy/index.ts';
import { type OpenReception, reception, receptionOptions } from '../../src/reception/index.ts';
import { tlsOptions } from '../../src/tls/index.ts';
import { nodeWorld } from '../../src/world/node/index.ts';
import { HandSpool } from './mail-in.ts';

/** A configuration file, real sockets, listeners and reception; only the spool is made of memory. */
class Server {
  readonly folder = mkdtempSync(join(tmpdir(), 'mail-in-'));
  readonly file = join(this.folder, 'impetus.conf');
  readonly recorded: MailEvent[] = [];
  readonly lines: string[] = [];
  readonly enqueued: Message[] = [];
  readonly spool: HandSpool;
  reload: () => Promise<unknown> = async () => undefined;
  doors: Listeners | undefined;
  reception: OpenReception | undefined;
  readonly #world = nodeWorld();

  constructor() {
    this.spool = new HandSpool(this.#world.clock);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(text: string): void {
    writeFileSync(this.file, text.replaceAll('@', this.folder));
  }

  async start(text: string): Promise<void> {
    this.write(text);
    const { clock, disk, network } = this.#world;
    const declared = [...listenerOptions, ...receptionOptions, ...authOptions, ...tlsOptions];
    const configuration = await loadConfiguration({
      disk,
      clock,
      file: this.file,
      searchPath: [],
      declared,
      modules: [],
    });
    const events: Events = {
      record: (event) => void this.recorded.push(event),
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      diagnose: (level, module, line) => void this.lines.push(`${level} ${module}: ${line}`),
    };
    const open = reception({
      clock,
      spool: this.spool,
      policy: policy(events),
      events,
      queues: { enqueue: (message) => void this.enqueued.push(message) },
      configuration,
      ids: idAllocator({ instance: 1 }),
      hostName: 'mx.test',
      version: '1.0.0',
    });
    this.reception = open;
    this.reload = () => configuration.reload();
    this.doors = listeners({
      network,
      clock,
      configuration,
      events,
      handlers: { esmtp_listener: open.converse },
      control: { kind: 'unix', path: this.path('control') },
    });
    await this.doors.open();
  }

  async stop(): Promise<void> {
    await this.doors?.close();
    await this.reception?.close(1000);
    rmSync(this.folder, { recursive: true });
  }
}

/** A client that says one thing after the other. */
class Client {
  readonly socket: Socket;
  #text = '';
  #wake: () => void = () => undefined;
  ended = false;

  constructor(path: string) {
    this.socket = createConnection(path);
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    for (const event of ['end', 'error']) {
      this.socket.on(event, () => {
        this.ended = true;
        this.#wake();
      });
    }
  }

  /** @returns a whole reply */
  async hears(): Promise<string> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text)?.[0];
      if (reply !== undefined) {
        this.#text = this.#text.slice(reply.length);
        return reply;
      }
      if (this.ended) return '';
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async says(text: string): Promise<string> {
    this.socket.write(text, 'latin1');
    return this.hears();
  }
}

const clients: Client[] = [];
let server: Server;
beforeEach(() => (server = new Server()));
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await server.stop();
});

const connect = (name: string): Client => {
  const client = new Client(server.path(name));
  clients.push(client);
  return client;
};

async function greeted(name: string): Promise<Client> {
  const client = connect(name);
  expect(await client.hears()).toMatch(/^220 mx\.test ESMTP impetus 1\.0\.0 /);
  return client;
}

const CONFIGURATION = `
  Relay_Hosts = ( 127.0.0.0/8 )
  ESMTP_Listener {
    SMTP_Extensions = ( "ENHANCEDSTATUSCODES" "8bitmime" )
    Listen "@/open" { File_Mode = 0600  Max_Message_Size = 1M }
    Listen "@/few" { Listener_Sessions = 1 }
    Listen "@/closed" { Enable = false }
    Peer "127.0.0.0/8" { Max_Recipients_Per_Message = 1 }
  }
`;

test('a configuration file becomes sockets, and a message goes through one', async () => {
  await server.start(CONFIGURATION);
  expect(statSync(server.path('open')).mode & 0o777).toBe(0o600);
  expect(server.doors?.names.length).toBe(2);
  const client = await greeted('open');
  expect(await client.says('EHLO c.test\r\n')).toBe(
    '250-mx.test says EHLO to 127.0.0.1\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 1048576\r\n',
  );
  expect(await client.says('MAIL FROM:<a@b.c>\r\n')).toMatch(/^250/);
  expect(await client.says('RCPT TO:<d@e.f>\r\n')).toMatch(/^250/);
  expect(await client.says('RCPT TO:<g@e.f>\r\n')).toMatch(/^452 4\.5\.3/);
  expect(await client.says('DATA\r\n')).toMatch(/^354/);
  expect(await client.says('Subject: x\r\n\r\nhello\r\n.\r\n')).toMatch(/^250 2\.0\.0 OK/);
  expect(await client.says('QUIT\r\n')).toMatch(/^221/);
  expect(server.enqueued).toHaveLength(1);
  expect(server.spool.kept[0]?.body).toMatch(
    /^Return-Path: <a@b\.c>\r\nReceived: from localhost \(unix helo=c\.test\)/,
  );
});

test('a client over its cap is turned away', async () => {
  await server.start(CONFIGURATION);
  await greeted('few');
  expect(await connect('few').hears()).toBe('421 4.4.5 Service unavailable, concurrency limit reached.\r\n');
});

test('a reload opens and closes sockets, and a session hears of it when it sees the change', async () => {
  await server.start(CONFIGURATION);
  const unmoved = await greeted('open');
  const moved = await greeted('few');
  server.write(
    CONFIGURATION.replace('Enable = false', 'Enable = true').replace('Listener_Sessions = 1', 'Max_Message_Size = 5'),
  );
  await server.reload();
  await greeted('closed');
  expect(await unmoved.says('RSET\r\n')).toBe('250 2.0.0 OK\r\n');
  expect(await moved.says('RSET\r\n')).toBe('421 4.3.2 Reconfiguration in progress\r\n');
  server.write(CONFIGURATION);
  await server.reload();
  await expect(greeted('closed')).rejects.toThrow();
});

test('a reload whose socket cannot be opened changes nothing', async () => {
  await server.start(CONFIGURATION);
  writeFileSync(server.path('file'), 'in the way');
  server.write(`${CONFIGURATION} ESMTP_Listener { Listen "@/file" {} }`);
  await expect(server.reload()).rejects.toBeInstanceOf(ConfigErrors);
  await expect(server.reload()).rejects.toThrow(/cannot bind .*file: /);
  await greeted('open');
});

test.each([
  ['ESMTP_Listener { SMTP_Extensions = ( STARTTLZ ) }', "there is no 'STARTTLZ'"],
  ['ESMTP_Listener { Static_Banner = "hello" }', 'a banner that begins with 220'],
  ['Relay_Hosts = ( mail.example.com )', "'mail.example.com' is none"],
  ['ESMTP_Listener { Listen ":25" { Listen_Backlog = 0 } }', 'an integer from 1 to 65535'],
])('%s is an error of the configuration', async (text, expected) => {
  await expect(server.start(text)).rejects.toThrow(expected);
});
