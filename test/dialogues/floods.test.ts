import { describe, expect, test } from 'vitest';
import type { Configuration, ListenStanza, Option } from '../../src/config/index.ts';
import { type Events, type MailEvent, statistics } from '../../src/events/index.ts';
import { listeners } from '../../src/listener/index.ts';
import { type ListenOptions, NetworkError, type Pipe, type PipeHost } from '../../src/world/index.ts';
import { ENDPOINT, generationOf, HandClock, LAX, MailIn, Peer, type Values, viewOf } from './mail-in.ts';

/** What the server holds of a client that sends this again and again, and never a whole message. */
function flood(piece: string, times: number, options: Values = LAX): { house: MailIn; peer: Peer; said: string } {
  const house = new MailIn(options);
  const peer = house.connect();
  peer.hears();
  let said = '';
  for (let i = 0; i < times && !peer.ended; i++) said += peer.sends(piece);
  return { house, peer, said };
}

const codes = (said: string): readonly string[] => said.split('\r\n').map((line) => line.slice(0, 9));

/** Everybody else is served as if nothing had been. */
function servesOthers(house: MailIn): void {
  const other = house.greeted({ ip: '192.0.2.8', port: 9 });
  other.sends('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
  expect(other.sends('x\r\n.\r\n')).toMatch(/^250 2\.0\.0 OK/);
  expect(house.complaints).toEqual([]);
}

describe('a flood of commands', () => {
  test.for([
    ['bad commands', 'WHAT IS THIS\r\n'],
    ['NULs, a line each', '\0\0\0\0\0\0\0\0\r\n'],
    ['invalid UTF-8', '\xc3\x28\xff\xfe\xf8\x88\x80\x80\x80\r\n'],
    ['TLS hellos in clear', `\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03${'\x0a\x5b'.repeat(40)}\r\n`],
    ['HTTP requests', 'GET / HTTP/1.1\r\nHost: mx.test\r\n\r\n'],
    ['recipients without a sender', 'RCPT TO:<b@example.org>\r\n'],
    ['malformed senders', 'MAIL FROM:<a b@example.com>\r\n'],
    ['NOOPs', 'NOOP\r\n'],
    ['empty lines', '\r\n'],
  ] as const)('of %s ends with 421 at the limit, each refusal counted once', ([, piece]) => {
    const { house, peer, said } = flood(piece, 1000);
    const answers = codes(said).filter((line) => line !== '');
    expect(peer.ended).toBe(true);
    expect(answers).toHaveLength(101);
    expect(answers.at(-1)).toBe('421 4.7.0');
    expect(answers.slice(0, -1).every((line) => /^(?:2|5)\d\d /.test(line))).toBe(true);
    const refused = answers.filter((line) => /^[45]/.test(line)).length;
    expect(house.rejections).toHaveLength(refused);
    expect(house.slotsGivenBack).toBe(1);
    servesOthers(house);
  });

  test('sent at once is answered to the limit and no further', () => {
    const { house, peer, said } = flood('WHAT\r\n'.repeat(10_000), 1);
    expect(codes(said).filter((line) => line.startsWith('500'))).toHaveLength(100);
    expect(said.endsWith('421 4.7.0 too many bad commands\r\n')).toBe(true);
    expect(peer.ended).toBe(true);
    servesOthers(house);
  });

  test('has no end where the option says so', () => {
    const { peer, said } = flood('WHAT\r\n', 1000, { ...LAX, max_bad_commands: '0' });
    expect(peer.ended).toBe(false);
    expect(codes(said).filter((line) => line.startsWith('500'))).toHaveLength(1000);
  });

  test('in a transaction costs the transaction', () => {
    const { house, peer } = flood('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nWHAT\r\n', 200);
    expect(peer.ended).toBe(true);
    expect(house.spool.kept).toEqual([]);
    expect(house.spool.drafts).toEqual([]);
  });
});

describe('a line without end', () => {
  test.for([
    ['letters', 'A'],
    ['NULs', '\0'],
    ['CRs', '\r'],
    ['invalid UTF-8', '\xff'],
    ['a sender', 'MAIL FROM:<'],
    ['an AUTH', 'AUTH PLAIN '],
  ] as const)('of %s is thrown away as it comes, answered once, and the idle time is not put off', ([, piece]) => {
    const house = new MailIn({ ...LAX, idle_time: '300' });
    const peer = house.greeted();
    for (let i = 0; i < 100; i++) expect(peer.sends(piece.repeat(1000))).toBe('');
    house.clock.pass(299);
    expect(peer.sends(piece)).toBe('');
    expect(peer.sends('\r\nNOOP\r\n')).toBe('500 5.5.2 line too long\r\n250 2.0.0 OK\r\n');
    expect(house.rejections).toHaveLength(1);
    peer.sends(piece);
    house.clock.pass(301);
    expect(peer.hears()).toMatch(/^421 4\.4\.2 .* idle timeout\r\n$/);
    expect(peer.ended).toBe(true);
    servesOthers(house);
  });
});

test('a byte a second keeps no session open: a command has its idle time as a whole', () => {
  const house = new MailIn({ ...LAX, idle_time: '60' });
  const peer = house.greeted();
  let seconds = 0;
  for (; seconds < 1000 && !peer.ended; seconds++) {
    peer.host?.data(Buffer.from('N'));
    house.clock.pass(1);
  }
  expect(seconds).toBe(60);
});

test('NULs and invalid UTF-8 in a body are kept as they came', () => {
  const house = new MailIn({ ...LAX, rfc2822_trace_headers: 'false' });
  const peer = house.greeted();
  peer.sends('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
  const body = `Subject: \0\xff\r\n\r\n${'\0'.repeat(100_000)}\r\n\xc3\x28\xf8\x88\r\n`;
  expect(peer.sends(`${body}.\r\n`)).toMatch(/^250 2\.0\.0 OK/);
  expect(house.spool.kept[0]?.body).toBe(body);
});

describe('a flood of connections', () => {
  interface Door {
    readonly options: ListenOptions;
    readonly accept: (pipe: Pipe) => PipeHost;
  }

  /** Listeners with one door, in the hand of the test. */
  async function door(values: Values, serve: (pipe: Pipe) => PipeHost) {
    const clock = new HandClock();
    const recorded: MailEvent[] = [];
    const lines: string[] = [];
    const hearers: ((event: MailEvent) => void)[] = [];
    const events: Events = {
      record: (event) => {
        recorded.push(event);
        for (const hear of hearers) hear(event);
      },
      subscribe: (_kinds, hear) => {
        hearers.push(hear as (event: MailEvent) => void);
        return { [Symbol.dispose]: () => undefined };
      },
      diagnose: (_level, _module, text) => void lines.push(text),
    };
    const counters = statistics(events, clock);
    const view = viewOf(values, 1, 'listen');
    const stanza: ListenStanza = {
      listener: 'esmtp_listener',
      endpoint: ENDPOINT,
      place: { file: 'f', line: 1, column: 1 },
      view,
    };
    const current = Object.assign(generationOf(values, 1, [stanza]), {
      receiving: () => view,
      receivingOwners: (option: Option<unknown>) => [view.owner(option)],
    });
    const configuration = {
      current,
      onCommit: () => ({ [Symbol.dispose]: () => undefined }),
      beforeCommit: () => ({ [Symbol.dispose]: () => undefined }),
      reload: () => Promise.reject(new Error('no files here')),
    } satisfies Configuration;
    let open: Door | undefined;
    const doors = listeners({
      network: {
        listen: async (at, options, accept) => {
          open = { options, accept };
          return { at, change: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
        },
      },
      clock,
      configuration,
      events,
      handlers: { esmtp_listener: serve },
    });
    await doors.open();
    if (open === undefined) throw new Error('no door');
    lines.length = 0;
    return { clock, recorded, lines, counters, doors, door: open as Door };
  }

  const silent: PipeHost = { data: () => undefined, drained: () => undefined, closed: () => undefined };

  test('beyond the cap: each is told 421 and counted, and no line is written', async () => {
    const house = await door({ listener_sessions: '10' }, () => silent);
    const peers = Array.from({ length: 5000 }, (_, port) => {
      const peer = new Peer(house.clock, { ip: '192.0.2.9', port });
      peer.host = house.door.accept(peer);
      house.clock.turn();
      return peer;
    });
    expect(peers.filter((peer) => peer.ended)).toHaveLength(4990);
    expect(peers.at(-1)?.hears()).toBe('421 4.4.5 Service unavailable, concurrency limit reached.\r\n');
    expect(house.counters.server.rejected).toBe(4990);
    expect(house.lines).toEqual([]);
  });

  test('that the system cannot accept: one line a second, with the number of the others', async () => {
    const house = await door({}, () => silent);
    const failed = house.door.options.failed;
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 500; i++) failed?.(new NetworkError('EMFILE', 'too many open files'));
      house.clock.pass(1);
    }
    await house.doors.close();
    expect(house.lines.length).toBeLessThanOrEqual(11);
    expect(house.lines[0]).toBe('127.0.0.1:25: a connection could not be accepted: too many open files');
    expect(house.lines[1]).toMatch(/\(and 498 more like it\)$/);
    const told = house.lines.reduce((sum, line) => sum + 1 + Number(/and (\d+) more/.exec(line)?.[1] ?? 0), 0);
    expect(told).toBe(5000);
  });

  test('that a bug of ours fails: each is closed and gives its place back, and the log has one line a second', async () => {
    const house = await door({ listener_sessions: '10' }, () => {
      throw new Error('a bug');
    });
    for (let i = 0; i < 1000; i++) {
      const peer = new Peer(house.clock, { ip: '192.0.2.9', port: i });
      peer.host = house.door.accept(peer);
      house.clock.turn();
      expect(peer.ended).toBe(true);
    }
    expect(house.counters.server.rejected).toBe(0);
    expect(house.lines).toHaveLength(1);
  });
});
