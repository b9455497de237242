import { describe, expect, test } from 'vitest';
import { type Client, ListeningHouse, type Session } from '../../test/support/listening.ts';
import { plain } from '../../test/support/tls-ground.ts';
import { ConfigErrors, type Option } from '../config/index.ts';
import { receptionOptions } from '../reception/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import { simWorld } from '../world/sim/index.ts';
import type { DoorOrigin, Handler } from './parts.ts';

const idleTime = receptionOptions.find((option) => option.name === 'idle_time') as Option<number>;

/** A proxy at 10.0.0.1 and its clients. @param more  what else stands in the listener */
async function house(more = ''): Promise<ListeningHouse> {
  return ListeningHouse.with(`ESMTP_Listener { Proxy_Protocol = true ${more} Listen ":25" { } }`);
}

const header = (ip: string, port = 40_000): string =>
  `PROXY TCP${ip.includes(':') ? 6 : 4} ${ip} ${ip.includes(':') ? '::1' : '192.0.2.25'} ${port} 25\r\n`;

async function says(at: ListeningHouse, client: Client, text: string): Promise<void> {
  client.pipe.write([Buffer.from(text)]);
  await at.world.clock.advance(10);
}

async function proxied(at: ListeningHouse, ip: string): Promise<Client> {
  const client = await at.connect('10.0.0.25:25', '10.0.0.1');
  await says(at, client, header(ip));
  return client;
}

const remotes = (sessions: readonly Session[]): string[] =>
  sessions.map(({ pipe }) => `${pipe.remote.ip} ${pipe.remote.port}`);

describe('the client that a proxy brings', () => {
  test('is the one that the header names, and the Peer of its address holds for it', async () => {
    const at = await house('Idle_Time = 50 Peer "203.0.113.0/24" { Idle_Time = 77 } Peer "10.0.0.1" { Idle_Time = 1 }');
    const client = await at.connect('10.0.0.25:25', '10.0.0.1');
    expect([client.heard, at.sessions.length]).toEqual(['', 0]);
    await says(at, client, header('203.0.113.9'));
    expect(client.heard).toBe('hello');
    expect(remotes(at.sessions)).toEqual(['203.0.113.9 40000']);
    expect(at.lastView.get(idleTime)).toBe(77);
  });

  test('stays the proxy itself with UNKNOWN', async () => {
    const at = await house();
    const client = await at.connect('10.0.0.25:25', '10.0.0.1');
    await says(at, client, 'PROXY UNKNOWN\r\n');
    expect(remotes(at.sessions)[0]).toMatch(/^10\.0\.0\.1 /);
  });

  test('is given what came behind the header, cut anywhere, and nothing of the header', async () => {
    const text = `${header('203.0.113.9')}EHLO a.test\r\n`;
    for (let cut = 1; cut < text.length; cut += 1) {
      let got = '';
      const handler: Handler = (pipe: Pipe, origin: DoorOrigin): PipeHost => ({
        data: (chunk) => void (got += Buffer.from(chunk).toString()),
        drained: () => undefined,
        ended: () => pipe.end(),
        closed: origin.ended,
      });
      const at = await ListeningHouse.with('ESMTP_Listener { Proxy_Protocol = true Listen ":25" { } }', {
        handlers: { esmtp_listener: handler },
      });
      const client = await at.connect('10.0.0.25:25', '10.0.0.1');
      await says(at, client, text.slice(0, cut));
      await says(at, client, text.slice(cut));
      expect(got).toBe('EHLO a.test\r\n');
      client.pipe.end();
      await at.world.clock.advance(10);
      expect(client.state).toBe('closed');
    }
  });

  test('may encrypt later, also when words of it came together with the header', async () => {
    const world = simWorld();
    const context = world.tls.context({ ...plain, identities: [world.tls.selfSigned('mx.test')] });
    let got = '';
    const handler: Handler = (pipe: Pipe, origin: DoorOrigin): PipeHost => ({
      data: (chunk) => {
        got += Buffer.from(chunk).toString();
        if (got.endsWith('STARTTLS\r\n')) pipe.secure({ as: 'server', context });
      },
      secured: ({ protocol }) => void (got += `${protocol} `),
      drained: () => undefined,
      closed: origin.ended,
    });
    const at = await ListeningHouse.with('ESMTP_Listener { Proxy_Protocol = true Listen ":25" { } }', {
      handlers: { esmtp_listener: handler },
    });
    const client = await at.connect('10.0.0.25:25', '10.0.0.1');
    await says(at, client, `${header('203.0.113.9')}EHLO a.test\r\n`);
    await says(at, client, 'STARTTLS\r\n');
    client.pipe.secure({ as: 'client', context: at.world.tls.context(plain), serverName: 'mx.test' });
    await at.world.clock.advance(10);
    await says(at, client, 'NOOP\r\n');
    expect([got, client.state]).toEqual(['EHLO a.test\r\nSTARTTLS\r\nTLSv1.3 NOOP\r\n', 'open']);
  });

  test('may come by a console too', async () => {
    const at = await ListeningHouse.with('Control_Listener { Listen ":2025" { Proxy_Protocol = true } }');
    const client = await at.connect('10.0.0.25:2025', '10.0.0.1');
    await says(at, client, header('2001:db8::9'));
    expect(remotes(at.sessions)).toEqual(['2001:db8::9 40000']);
  });
});

describe('who brings none', () => {
  test.each(['EHLO a.test\r\n', 'PROXY TCP4 1.2.3.4\r\n', '\r\n\r\n\0x'])(
    '%j is closed without a banner',
    async (text) => {
      const at = await house();
      const client = await at.connect('10.0.0.25:25', '10.0.0.1');
      await says(at, client, text);
      expect([client.heard, client.state, at.sessions.length]).toEqual(['', 'closed', 0]);
      expect(at.lines[0]).toMatch(/^ERROR 0\.0\.0\.0:25: a connection of 10\.0\.0\.1:\d+ was closed: /);
      expect(at.recorded).toEqual([]);
    },
  );

  test('is told of once a second, however many there are', async () => {
    const at = await house();
    for (let index = 0; index < 5; index += 1)
      await says(at, await at.connect('10.0.0.25:25', '10.0.0.1'), `${index}\r\n`);
    expect(at.lines).toHaveLength(1);
    await at.world.clock.advance(60_000);
    expect(at.lines[1]).toMatch(/\(and \d+ more like it\)$/);
  });

  test('and is silent has Proxy_Protocol_Timeout seconds for the whole header, and no more', async () => {
    const at = await house('Proxy_Protocol_Timeout = 7');
    const client = await at.connect('10.0.0.25:25', '10.0.0.1');
    await at.world.clock.advance(6000);
    await says(at, client, 'PROXY TCP4 ');
    expect(client.state).toBe('open');
    await at.world.clock.advance(1000);
    expect([client.heard, client.state]).toEqual(['', 'closed']);
    expect(at.lines).toEqual([expect.stringMatching(/was closed: no PROXY header in time$/)]);
  });

  test('may wait for ever with a timeout of 0; and the timeout is over with the header', async () => {
    const at = await house('Proxy_Protocol_Timeout = 0');
    const client = await at.connect('10.0.0.25:25', '10.0.0.1');
    await at.world.clock.advance(10_000_000);
    expect(client.state).toBe('open');
    const other = await house('Proxy_Protocol_Timeout = 7');
    const greeted = await proxied(other, '203.0.113.9');
    await other.world.clock.advance(10_000);
    expect([greeted.heard, greeted.state]).toEqual(['hello', 'open']);
  });

  test('and goes leaves no line, no timer and no slot', async () => {
    const at = await house('Listener_Sessions = 1');
    const client = await at.connect('10.0.0.25:25', '10.0.0.1');
    client.pipe.end();
    await at.world.clock.advance(10);
    expect([client.state, at.lines]).toEqual(['closed', []]);
    expect((await proxied(at, '203.0.113.9')).heard).toBe('hello');
  });
});

test('a server that stops closes those that wait for a header; a socket that goes does not', async () => {
  const at = await house();
  const client = await at.connect('10.0.0.25:25', '10.0.0.1');
  const other = await at.connect('10.0.0.25:25', '10.0.0.1');
  await at.reload('ESMTP_Listener { Listen ":26" { } }');
  await says(at, client, header('203.0.113.9'));
  expect(client.heard).toBe('hello');
  await at.doors.close();
  await at.world.clock.advance(10);
  expect([client.state, other.state]).toEqual(['open', 'closed']);
  expect(at.lines).toEqual([]);
});

test('Proxy_Protocol_From: others are closed at once, whatever they say', async () => {
  const at = await house('Proxy_Protocol_From = ( 10.0.0.0/8 fd00::/8 )');
  const stranger = await at.connect('10.0.0.25:25', '198.51.100.1');
  expect([stranger.heard, stranger.state]).toEqual(['', 'closed']);
  expect(at.lines[0]).toMatch(/a connection of 198\.51\.100\.1:\d+ was closed: it is not in Proxy_Protocol_From$/);
  expect((await proxied(at, '198.51.100.1')).heard).toBe('hello');
});

describe('session caps', () => {
  test('are those of the client and not of its proxy, and are asked behind the header', async () => {
    const at = await house('Peer "10.0.0.1" { Listener_Sessions = 1 } Peer "203.0.113.0/24" { Listener_Sessions = 1 }');
    const first = await proxied(at, '203.0.113.9');
    const second = await proxied(at, '203.0.113.10');
    const third = await proxied(at, '198.51.100.1');
    expect([first.heard, second.heard, third.heard]).toEqual([
      'hello',
      '421 4.4.5 Service unavailable, concurrency limit reached.\r\n',
      'hello',
    ]);
    expect(second.state).toBe('closed');
    expect(at.recorded).toMatchObject([
      { kind: 'rejection', phase: 'concurrency limit', remote: '203.0.113.10:40000' },
    ]);
    first.pipe.end();
    await at.world.clock.advance(10);
    expect((await proxied(at, '203.0.113.10')).heard).toBe('hello');
  });

  test('count a connection that waits for its header, and do not turn it away', async () => {
    const at = await house('Listener_Sessions = 1');
    const waiting = await at.connect('10.0.0.25:25', '10.0.0.1');
    const other = await at.connect('10.0.0.25:25', '10.0.0.1');
    expect([waiting.state, other.state]).toEqual(['open', 'open']);
    await says(at, waiting, header('203.0.113.9'));
    expect(waiting.heard).toBe('421 4.4.5 Service unavailable, concurrency limit reached.\r\n');
    await says(at, other, header('203.0.113.9'));
    expect(other.heard).toBe('hello');
  });
});

test('the options hold for connections from then on, and sessions do not notice a change', async () => {
  const at = await house();
  const before = await proxied(at, '203.0.113.9');
  const view = at.lastView;
  await at.reload('ESMTP_Listener { Listen ":25" { } }');
  expect(view.sameIn(at.configuration.current)).toBe(true);
  expect((await at.connect('10.0.0.25:25', '10.0.0.1')).heard).toBe('hello');
  expect(before.state).toBe('open');
});

test.each([
  ['ESMTP_Listener { Peer "10.0.0.1" { Proxy_Protocol = true } Listen ":25" { } }', /Proxy_Protocol/],
  ['ESMTP_Listener { Listen ":25" { Peer "10.0.0.1" { Proxy_Protocol_Timeout = 5 } } }', /Proxy_Protocol_Timeout/],
  ['ESMTP_Listener { Listen ":25" { Peer "10.0.0.1" { Proxy_Protocol_From = ( 10.0.0.1 ) } } }', /Proxy_Protocol_From/],
  ['ESMTP_Listener { Proxy_Protocol_From = ( ) Listen ":25" { } }', /at least one/],
])('%s is an error', async (text, why) => {
  const failed = new ListeningHouse().build(text);
  await expect(failed).rejects.toBeInstanceOf(ConfigErrors);
  await expect(failed).rejects.toThrow(why);
});
