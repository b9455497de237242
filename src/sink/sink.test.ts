import { describe, expect, test } from 'vitest';
import { bytesIn, type Endpoint, joined, type Millis, millis, type Segments } from '../base/index.ts';
import type {
  Chance,
  Clock,
  ConnectHost,
  Datagrams,
  Disk,
  DiskFile,
  Listening,
  Network,
  Pipe,
  PipeHost,
} from '../world/index.ts';
import { DiskError } from '../world/index.ts';
import { parseRule } from './rules.ts';
import { type Sink, type SinkSettings, STOP_MILLIS, sink } from './sink.ts';

/** A clock that the test moves, a disk that remembers, and clients on pipes of memory. */
class Place implements Clock, Chance, Network {
  readonly files = new Map<string, string>();
  diskFull = false;
  #time = millis(1000);
  #due: { readonly at: Millis; readonly run: () => void }[] = [];

  now(): Millis {
    return this.#time;
  }
  date(): Millis {
    return millis(1_772_532_000_000 + this.#time);
  }
  at(due: Millis, run: () => void): Disposable {
    const entry = { at: due, run };
    this.#due.push(entry);
    return {
      [Symbol.dispose]: () => {
        this.#due = this.#due.filter((other) => other !== entry);
      },
    };
  }
  defer(run: () => void): void {
    run();
  }
  pass(milliseconds: number): void {
    this.#time = millis(this.#time + milliseconds);
    const due = this.#due.filter((entry) => entry.at <= this.#time);
    this.#due = this.#due.filter((entry) => entry.at > this.#time);
    for (const entry of due) entry.run();
  }

  next(): number {
    return 0.5;
  }
  below(): number {
    return 0;
  }
  bytes(count: number): Uint8Array {
    return new Uint8Array(count);
  }

  listen(at: Endpoint): Promise<Listening> {
    return Promise.resolve({ at, change: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() });
  }
  connect(_to: Endpoint, _from: string | undefined, _host: ConnectHost): Pipe {
    throw new Error('a sink does not connect');
  }
  datagrams(): Datagrams {
    throw new Error('a sink sends no datagrams');
  }

  readonly disk: Pick<Disk, 'open' | 'rename' | 'makeDirectory'> = {
    makeDirectory: () => Promise.resolve(),
    rename: (from, to) => {
      this.files.set(to, this.files.get(from) ?? '');
      this.files.delete(from);
      return Promise.resolve();
    },
    open: (path) => {
      if (this.diskFull) return Promise.reject(new DiskError('ENOSPC', path, 'no space left'));
      const file: Pick<DiskFile, 'write' | 'close'> = {
        write: (bytes) => {
          this.files.set(path, joined(bytes).toString('latin1'));
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      };
      return Promise.resolve(file as DiskFile);
    },
  };

  sink(settings: Partial<SinkSettings> = {}): Sink {
    return sink(
      { clock: this, chance: this, network: this, disk: this.disk as Disk },
      { hostName: 'sink.test', ...settings },
    );
  }
}

class Peer {
  said = '';
  state: 'open' | 'ended' | 'destroyed' = 'open';
  readonly host: PipeHost;

  constructor(to: Sink, ip = '127.0.0.1') {
    const earlier: string[] = [];
    const pipe: Pipe = {
      remote: { ip, port: 40_000 },
      local: { ip: '127.0.0.1', port: 2526 },
      write: (bytes: Segments) => {
        earlier.push(joined(bytes).toString('latin1'));
        this.said = earlier.join('');
        return bytesIn(bytes) >= 0;
      },
      secure: () => undefined,
      pause: () => {},
      resume: () => {},
      end: () => {
        this.state = 'ended';
      },
      destroy: () => {
        this.state = 'destroyed';
      },
    };
    this.#clear = () => {
      earlier.length = 0;
      this.said = '';
    };
    this.host = to.converse(pipe);
  }
  readonly #clear: () => void;

  sends(...lines: readonly string[]): this {
    this.host.data(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1'));
    return this;
  }
  gets(...lines: readonly string[]): this {
    expect(this.said).toBe(lines.map((line) => `${line}\r\n`).join(''));
    this.#clear();
    return this;
  }
  greeted(): this {
    return this.gets('220 sink.test ESMTP Impetus sink').sends('HELO me').gets('250 sink.test');
  }
  /** A transaction up to the replies to its recipients. */
  addresses(...recipients: readonly string[]): this {
    return this.sends('MAIL FROM:<s@origin.test>', ...recipients.map((path) => `RCPT TO:<${path}>`));
  }
  /** DATA with its text; what came before is not looked at. */
  text(...lines: readonly string[]): this {
    this.#clear();
    return this.sends('DATA')
      .gets('354 go on, end with a dot on a line of its own')
      .sends(...lines, '.');
  }
}

const SENDER = '250 2.1.0 sender accepted';
const RECIPIENT = '250 2.1.5 recipient accepted';

describe('a session of the sink', () => {
  test('an ordinary message is taken, counted and remembered', () => {
    const place = new Place();
    const lines: string[] = [];
    const server = place.sink({ log: (line) => lines.push(line) });
    const peer = new Peer(server).greeted().addresses('a@one.test', 'b@Two.test').gets(SENDER, RECIPIENT, RECIPIENT);
    peer
      .text('Subject: hello "you"', 'X: y', '', '..dot', 'text')
      .gets('250 2.0.0 taken')
      .sends('QUIT')
      .gets('221 2.0.0 bye');
    expect(peer.state).toBe('ended');
    expect(server.counters).toMatchObject({
      messages: 1,
      sessions: 1,
      openSessions: 0,
      recipients: { accepted: 2, deferred: 0 },
    });
    expect(server.counters.byDomain.get('two.test')).toMatchObject({ accepted: 1 });
    const [taken] = server.recent();
    expect(taken).toMatchObject({
      number: 1,
      reversePath: 's@origin.test',
      recipients: ['a@one.test', 'b@Two.test'],
      bytes: server.counters.bytes,
    });
    expect(Buffer.from(taken?.header ?? []).toString()).toBe('Subject: hello "you"\r\nX: y\r\n');
    expect(lines).toEqual([
      `2026-03-03T10:00:01.000Z accepted from=<s@origin.test> to=<a@one.test>,<b@Two.test> bytes=${server.counters.bytes} reply="250 2.0.0 taken" subject="hello 'you'"`,
    ]);
  });

  test('EHLO offers what the sink can do, and a whole group is answered in one write', () => {
    const peer = new Peer(new Place().sink());
    peer
      .gets('220 sink.test ESMTP Impetus sink')
      .sends('EHLO me')
      .gets('250-sink.test', '250-PIPELINING', '250-8BITMIME', '250-ENHANCEDSTATUSCODES', '250 SIZE 67108864')
      .sends('RSET', 'NOOP', 'MAIL FROM:<> BODY=8BITMIME SIZE=10', 'RCPT TO:<a@b>', 'DATA')
      .gets('250 2.0.0 forgotten', '250 2.0.0 OK', SENDER, RECIPIENT, '354 go on, end with a dot on a line of its own');
  });

  test('byte by byte the answers are the same', () => {
    const whole = 'HELO me\r\nMAIL FROM:<s@origin.test>\r\nRCPT TO:<refuse@x.test>\r\nRCPT TO:<a@x.test>\r\nDATA\r\n';
    const peer = new Peer(new Place().sink());
    for (const character of `${whole}Subject: x\r\n\r\n..\r\n.\r\nQUIT\r\n`) peer.host.data(Buffer.from(character));
    peer.gets(
      '220 sink.test ESMTP Impetus sink',
      '250 sink.test',
      SENDER,
      '550 5.1.1 no such mailbox here',
      RECIPIENT,
      '354 go on, end with a dot on a line of its own',
      '250 2.0.0 taken',
      '221 2.0.0 bye',
    );
  });
});

describe('by recipient', () => {
  test('deferred and refused ones are answered at RCPT, the others are taken', () => {
    const server = new Place().sink();
    const peer = new Peer(server).greeted().addresses('defer@a.test', 'refuse-552@a.test', 'ok@a.test');
    peer
      .gets(SENDER, '450 4.2.1 mailbox temporarily unavailable', '552 5.2.2 mailbox full', RECIPIENT)
      .text('x')
      .gets('250 2.0.0 taken');
    expect(server.counters.byDomain.get('a.test')).toEqual({ accepted: 1, deferred: 1, refused: 1, dropped: 0 });
  });

  test('421 ends the session', () => {
    const peer = new Peer(new Place().sink()).greeted().addresses('defer-421@a.test', 'ok@a.test');
    expect(peer.said).toMatch(/\r\n421 4\.7\.0 [^\r]*\r\n$/);
    expect(peer.state).toBe('ended');
  });

  test('after the dot the worst wish of a recipient decides for all', () => {
    const server = new Place().sink();
    const peer = new Peer(server).greeted();
    peer.addresses('ok@a.test', 'defer-dot@a.test').text('x').gets('450 4.2.1 mailbox temporarily unavailable');
    peer.addresses('refuse-dot@a.test', 'defer-dot@a.test').text('x').gets('550 5.1.1 no such mailbox here');
    peer.addresses('drop-dot@a.test', 'ok@a.test').text('x').gets();
    expect(peer.state).toBe('destroyed');
    expect(server.counters.recipients).toEqual({ accepted: 0, deferred: 2, refused: 2, dropped: 2 });
    expect(server.counters.messages).toBe(0);
  });

  test('a connection is dropped at RCPT, or when text comes', () => {
    const server = new Place().sink();
    const early = new Peer(server).greeted().addresses('drop-rcpt@a.test');
    expect(early.state).toBe('destroyed');
    const late = new Peer(server).greeted().addresses('drop@a.test').gets(SENDER, RECIPIENT).sends('DATA');
    expect(late.state).toBe('open');
    late.sends('some text');
    expect(late.state).toBe('destroyed');
    const empty = new Peer(server).greeted().addresses('drop@a.test').text();
    expect(empty.state).toBe('destroyed');
    expect(server.counters.recipients.dropped).toBe(3);
    expect(server.counters.openSessions).toBe(0);
  });

  test('a slow one delays the replies to RCPT and to the dot, and nothing else', () => {
    const place = new Place();
    const peer = new Peer(place.sink()).greeted().addresses('slow-2s@a.test', 'ok@a.test').gets(SENDER);
    place.pass(1999);
    peer.gets();
    place.pass(1);
    peer.gets(RECIPIENT, RECIPIENT).text('x').gets();
    place.pass(2000);
    peer.gets('250 2.0.0 taken');
  });

  test('a client that leaves while it is kept waiting is forgotten', () => {
    const place = new Place();
    const server = place.sink();
    const peer = new Peer(server).greeted().addresses('slow@a.test').gets(SENDER);
    peer.host.closed();
    place.pass(10_000);
    peer.gets();
    expect(server.counters.openSessions).toBe(0);
  });

  test('a client that has closed its side still gets the replies it waits for', () => {
    const place = new Place();
    const peer = new Peer(place.sink()).greeted().addresses('slow-1s@a.test').gets(SENDER);
    peer.host.ended?.();
    expect(peer.state).toBe('open');
    place.pass(1000);
    peer.gets(RECIPIENT);
    expect(peer.state).toBe('ended');
  });

  test('greylisting knows client, sender and recipient, and lets them in after its time', () => {
    const place = new Place();
    const peer = new Peer(place.sink()).greeted();
    const greylisted = '450 4.7.1 greylisted, try again later';
    peer.addresses('grey-10s@a.test').gets(SENDER, greylisted).sends('RSET').gets('250 2.0.0 forgotten');
    place.pass(10_000);
    peer.addresses('grey-10s@b.test').gets(SENDER, greylisted).sends('RSET').gets('250 2.0.0 forgotten');
    peer.addresses('grey-10s@a.test').gets(SENDER, RECIPIENT);
  });

  test('a busy one turns everybody away at the door, until its time is over', () => {
    const place = new Place();
    const server = place.sink();
    const peer = new Peer(server)
      .greeted()
      .addresses('busy-3s@a.test')
      .gets(SENDER, '421 4.3.2 server busy, try again later');
    expect(peer.state).toBe('ended');
    place.pass(2999);
    const turned = new Peer(server).gets('421 4.3.2 server busy, try again later');
    expect(turned.state).toBe('ended');
    expect(server.counters.turnedAway).toBe(1);
    place.pass(1);
    new Peer(server).greeted().addresses('busy-3s@a.test').gets(SENDER, RECIPIENT);
  });

  test('a rule decides before the local part does', () => {
    const rules = [parseRule('full.test=defer 452 4.2.2 over quota'), parseRule('refuse@*=accept')];
    new Peer(new Place().sink({ rules }))
      .greeted()
      .addresses('ok@full.test', 'refuse@a.test')
      .gets(SENDER, '452 4.2.2 over quota', RECIPIENT);
  });
});

describe('limits', () => {
  test('a message as long as allowed is taken, one byte more is not', () => {
    const server = new Place().sink({ maxMessageSize: 10 });
    const peer = new Peer(server).greeted().addresses('a@a.test').text('12345678').gets('250 2.0.0 taken');
    peer.addresses('a@a.test').text('123456789').gets('552 5.3.4 message too large');
    expect(server.counters.recipients).toMatchObject({ accepted: 1, refused: 1 });
  });

  test('a session more than allowed is greeted with 421', () => {
    const server = new Place().sink({ maxSessions: 1 });
    const first = new Peer(server).greeted();
    new Peer(server).gets('421 4.7.0 too many connections, try again later');
    first.sends('QUIT').gets('221 2.0.0 bye');
    new Peer(server).greeted();
  });

  test('the thousandth recipient is taken, one more is not', () => {
    const peer = new Peer(new Place().sink())
      .greeted()
      .addresses(...Array.from({ length: 1001 }, (_, n) => `r${n}@a.test`));
    expect(peer.said.split('\r\n').filter((line) => line === RECIPIENT)).toHaveLength(1000);
    expect(peer.said.endsWith('452 4.5.3 too many recipients\r\n')).toBe(true);
  });

  test('only the last messages are remembered, newest first', () => {
    const server = new Place().sink({ recent: 2 });
    const peer = new Peer(server).greeted();
    for (const name of ['a', 'b', 'c']) peer.addresses(`${name}@a.test`).text('x').gets('250 2.0.0 taken');
    expect(server.recent().map((taken) => taken.recipients[0])).toEqual(['c@a.test', 'b@a.test']);
  });

  test('an idle client is told so after five minutes', () => {
    const place = new Place();
    const peer = new Peer(place.sink()).greeted();
    place.pass(299_999);
    peer.gets();
    place.pass(1);
    peer.gets('421 4.4.2 sink.test idle timeout');
    expect(peer.state).toBe('ended');
  });
});

describe('whole messages', () => {
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(resolve);
    });

  test('are kept before they are acknowledged', async () => {
    const place = new Place();
    const peer = new Peer(place.sink({ keep: '/kept' }))
      .greeted()
      .addresses('a@a.test', 'b@a.test')
      .text('S: x', '', '..', 'y')
      .gets();
    await settled();
    peer.gets('250 2.0.0 taken');
    expect([...place.files]).toEqual([
      [
        '/kept/new/1772532001.R000000000000Q1.sink.test',
        'Return-Path: <s@origin.test>\r\nDelivered-To: a@a.test\r\nDelivered-To: b@a.test\r\nS: x\r\n\r\n.\r\ny\r\n',
      ],
    ]);
  });

  test('that cannot be kept are answered with 451, and the operator is told', async () => {
    const place = new Place();
    place.diskFull = true;
    const complaints: string[] = [];
    const server = place.sink({ keep: '/kept', complain: (text) => complaints.push(text) });
    const peer = new Peer(server).greeted().addresses('a@a.test').text('x');
    await settled();
    peer.gets('451 4.3.0 cannot keep the message now');
    expect(complaints).toEqual(['cannot keep a message in /kept: no space left']);
    expect(server.counters).toMatchObject({ messages: 0, recipients: { deferred: 1 } });
    place.diskFull = false;
    peer.addresses('a@a.test').text('x');
    await settled();
    peer.gets('250 2.0.0 taken');
  });
});

describe('the end of a sink', () => {
  test('idle clients are sent away, a transaction may end, then it is over', async () => {
    const server = new Place().sink();
    const idle = new Peer(server).greeted();
    const busy = new Peer(server).greeted().addresses('a@a.test').gets(SENDER, RECIPIENT);
    const closed = server.close();
    await Promise.resolve();
    idle.gets('421 4.3.2 the sink is shutting down');
    busy.text('x').gets('250 2.0.0 taken', '421 4.3.2 the sink is shutting down');
    await closed;
    expect(server.counters).toMatchObject({ messages: 1, openSessions: 0 });
  });

  test('who does not come to an end is cut off', async () => {
    const place = new Place();
    const server = place.sink();
    const slow = new Peer(server).greeted().addresses('a@a.test');
    const closed = server.close();
    await Promise.resolve();
    place.pass(STOP_MILLIS);
    await closed;
    expect(slow.state).toBe('destroyed');
  });
});
