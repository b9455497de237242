import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { addressBytes, parseCidr } from '../../src/base/index.ts';
import { eventually } from '../end-to-end/harness.ts';
import { Certificates } from '../support/certificates.ts';
import { answersIn, errorOf, type HttpAnswer, request } from '../support/http-room.ts';
import { RealServer, type RealSettings } from '../support/real-server.ts';

const PLAIN: RealSettings = {
  http: 'Proxy_Protocol = true Enable_Authentication = true',
  more: 'http_logger { log = "file://@/httplog" }',
};
const SECURE: RealSettings = {
  ...PLAIN,
  http: `${PLAIN.http} Use_SSL = true TLS_Certificate = "@/mx.crt" TLS_Key = "@/mx.key"`,
  prepare: (folder) => void new Certificates(folder).issue('mx', ['mx.test']),
};

const v1 = (ip: string): Buffer =>
  Buffer.from(`PROXY TCP${ip.includes(':') ? 6 : 4} ${ip} ${ip.includes(':') ? '::1' : '192.0.2.9'} 40000 2081\r\n`);

function v2(ip: string): Buffer {
  const source = addressBytes(ip);
  const addresses = Buffer.concat([
    source,
    Buffer.alloc(source.length, 1),
    Buffer.of(40_000 >> 8, 40_000 & 255, 8, 33),
  ]);
  const family = source.length === 4 ? 0x11 : 0x21;
  return Buffer.concat([SIGNATURE, Buffer.of(0x21, family, 0, addresses.length), addresses]);
}
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const LOCAL = Buffer.concat([SIGNATURE, Buffer.of(0x20, 0, 0, 0)]);

/** A socket that sends something before the first thing that it is given, in one piece with it. */
class Behind extends Duplex {
  readonly #socket: Socket;
  #first: Buffer | undefined;

  constructor(socket: Socket, first: Buffer) {
    super();
    this.#socket = socket;
    this.#first = first;
    socket.on('data', (chunk) => void this.push(chunk)).on('end', () => void this.push(null));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.#socket.write(this.#first === undefined ? chunk : Buffer.concat([this.#first, chunk]), () => written());
    this.#first = undefined;
  }
  override _final(done: () => void): void {
    this.#socket.end(() => done());
  }
}

/** All that comes until the connection closes. */
function heardOn(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => void chunks.push(chunk)).on('error', () => undefined);
    stream.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

type Way = 'in clear' | 'TLS behind the header' | 'TLS in one piece with the header';

async function ask(real: RealServer, way: Way, header: Buffer, head: string): Promise<HttpAnswer> {
  const socket = connect(real.port, '127.0.0.1');
  const bytes = request(`${head}\nConnection: close`);
  let heard: Promise<Buffer>;
  if (way === 'in clear') {
    heard = heardOn(socket);
    socket.write(Buffer.concat([header, bytes]));
  } else {
    if (way === 'TLS behind the header') socket.write(header);
    const below = way === 'TLS behind the header' ? socket : new Behind(socket, header);
    const secure = connectTls({ socket: below, servername: 'mx.test', rejectUnauthorized: false });
    heard = heardOn(secure);
    secure.write(bytes);
  }
  const [answer] = answersIn(await heard);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

test.each<[Way, RealSettings]>([
  ['in clear', PLAIN],
  ['TLS behind the header', SECURE],
  ['TLS in one piece with the header', SECURE],
])('PROXY on an HTTP_Listener, %s: both versions name the client for logs, ACLs and keys', async (way, settings) => {
  await using real = await RealServer.start({
    ...settings,
    http: `${settings.http} Peer "198.51.100.0/24" { Always_Allow = true } Peer "203.0.113.66" { Always_Deny = true }`,
  });
  const block = parseCidr('203.0.113.0/28');
  const narrow = await real.keyFile.create('narrow', ['stats/view'], block === undefined ? [] : [block]);
  await eventually('the new key', async () => {
    const { status } = await ask(real, way, v1('203.0.113.1'), `GET /metrics\nAuthorization: ${narrow}`);
    return status === 200;
  });
  for (const header of [v1, v2]) {
    const status = async (ip: string, key?: string): Promise<number> =>
      (await ask(real, way, header(ip), `GET /stats/summary?from=${ip}${key ? `\nAuthorization: ${key}` : ''}`)).status;
    expect([
      header.name,
      await status('198.51.100.7'),
      await status('203.0.113.66'),
      await status('203.0.113.5'),
    ]).toEqual([header.name, 200, 403, 401]);
    expect([await status('203.0.113.5', narrow), await status('203.0.113.16', narrow)]).toEqual([200, 401]);
    expect(await status('2001:db8::1', real.key)).toBe(200);
  }
  const lines = await eventually('the log', () => {
    const text = real.text('httplog');
    return text.split('summary?from=2001:db8::1').length === 3 && text;
  });
  for (const [client, target, wanted] of [
    ['198.51.100.7:40000', '198.51.100.7', 200],
    ['203.0.113.66:40000', '203.0.113.66', 403],
    ['203.0.113.5:40000', '203.0.113.5', 401],
    ['[2001:db8::1]:40000', '2001:db8::1', 200],
  ] as const) {
    const line = `${client} 127.0.0.1:${real.port} "GET stats/summary?from=${target} HTTP/1.1" ${wanted} `;
    expect([line, lines.split(line).length - 1]).toEqual([line, 2]);
  }
});

test.each<[string, Buffer]>([
  ['UNKNOWN of version 1', Buffer.from('PROXY UNKNOWN\r\n')],
  ['LOCAL of version 2', LOCAL],
])('PROXY on an HTTP_Listener: with %s, as proxies ask whether we live, the client is the proxy', async (_, header) => {
  await using real = await RealServer.start(PLAIN);
  expect((await ask(real, 'in clear', header, 'GET /health')).status).toBe(200);
  expect(await eventually('a line', () => real.text('httplog') || undefined)).toMatch(
    /^\d+ 127\.0\.0\.1:\d+ 127\.0\.0\.1:/,
  );
});

test('PROXY on an HTTP_Listener: one client behind a proxy does not slow down another by guessing', async () => {
  await using real = await RealServer.start(PLAIN);
  const wrong = (ip: string, n: number): Promise<HttpAnswer> =>
    ask(real, 'in clear', v2(ip), `GET /metrics\nAuthorization: ${String(n).padStart(40, '0')}`);
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) statuses.push((await wrong('203.0.113.5', n)).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  expect((await wrong('203.0.113.6', 9)).status).toBe(401);
});

test.each<[string, Buffer]>([
  ['a request without a header', Buffer.from(request('GET /health'))],
  ['nonsense', Buffer.from('PROXY TCP4 999.1.1.1 x y z\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n')],
  ['a header of version 2 with a wrong length', Buffer.concat([SIGNATURE, Buffer.of(0x21, 0x11, 0, 3, 1, 2, 3)])],
  ['a header that never ends', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
])('PROXY on an HTTP_Listener: %s is closed without a word, and told of', async (_, bytes) => {
  await using real = await RealServer.start(PLAIN);
  const socket = connect(real.port, '127.0.0.1');
  const heard = heardOn(socket);
  socket.write(bytes);
  expect((await heard).length).toBe(0);
  await eventually('a line in the paniclog', () => /a connection of 127\.0\.0\.1:\d+ was closed/.test(real.text('p')));
  expect((await ask(real, 'in clear', v1('192.0.2.1'), 'GET /health')).status).toBe(200);
});

test('PROXY on an HTTP_Listener: a header that does not come in time ends the connection', async () => {
  await using real = await RealServer.start({ ...PLAIN, http: `${PLAIN.http} Proxy_Protocol_Timeout = 1` });
  const began = performance.now();
  const [silent, slow] = [connect(real.port, '127.0.0.1'), connect(real.port, '127.0.0.1')];
  slow.write('PROXY TCP4 192.0.2.1 ');
  const heard = await Promise.all([heardOn(silent), heardOn(slow)]);
  expect(heard.map(({ length }) => length)).toEqual([0, 0]);
  expect(performance.now() - began).toBeGreaterThan(900);
});

test('PROXY on an HTTP_Listener: a mistake behind the header has an answer, and keeps nobody else from his', async () => {
  await using real = await RealServer.start(PLAIN);
  const socket = connect(real.port, '127.0.0.1');
  const heard = heardOn(socket);
  socket.write(Buffer.concat([v1('192.0.2.1'), v1('192.0.2.2'), Buffer.from(request('GET /health'))]));
  const answers = answersIn(await heard);
  expect(answers.map((answer) => errorOf(answer))).toMatchObject([{ status: 400, code: '1200' }]);
});
