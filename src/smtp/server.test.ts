import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { type Reply, reply } from './reply.ts';
import { type SmtpServer, smtpServer } from './server.ts';
import {
  type ServerEvent,
  type ServerSettings,
  type ServerWord,
  serverDefaults,
  serverWord,
  type TrustedCommand,
} from './server-events.ts';
import { type CommandState, commands } from './server-table.ts';

const TRUSTED: readonly TrustedCommand[] = ['xclient', 'xremoteip', 'xsetcontext', 'xdumpcontext'];
const OK = reply(250, '2.0.0', 'OK');
const GO = reply(354, undefined, 'go');

/** Answers everything with yes, but for recipients that begin with `no`. */
function answer(event: ServerEvent): ServerWord | undefined {
  switch (event.kind) {
    case 'body':
    case 'refused':
    case 'gone':
      return undefined;
    case 'connect':
      return serverWord(reply(220, undefined, 'hello'), 'go on');
    case 'data':
      return serverWord(GO, 'read body');
    case 'quit':
      return serverWord(reply(221, '2.0.0', 'bye'), 'close');
    case 'starttls':
      return serverWord(reply(220, '2.0.0', 'go'), 'start TLS');
    case 'rcpt':
      return serverWord(event.path.startsWith('no') ? reply(550, '5.1.1', 'no') : OK, 'go on');
    default:
      return serverWord(OK, 'go on');
  }
}

class Conversation {
  readonly machine: SmtpServer;
  readonly events: ServerEvent[] = [];
  now = 0;

  constructor(settings: Partial<ServerSettings> = {}) {
    this.machine = smtpServer(settings);
    this.drain();
  }

  drain(): void {
    for (let event = this.machine.next(); event !== undefined; event = this.machine.next()) {
      this.events.push(event);
      const word = answer(event);
      if (word !== undefined) this.machine.say(event.turn, word, millis(this.now));
    }
  }

  /** @returns what the server answered, one write */
  sends(text: string): string {
    this.machine.receive(Buffer.from(text, 'latin1'), millis(this.now));
    this.drain();
    return this.said();
  }

  said(): string {
    return joined(this.machine.take()).toString('latin1');
  }

  get kinds(): string[] {
    return this.events.map((event) => event.kind);
  }
}

const begun = (settings: Partial<ServerSettings> = {}): Conversation => {
  const peer = new Conversation(settings);
  peer.said();
  return peer;
};

test('the banner is the word for the first event', () => {
  expect(new Conversation().said()).toBe('220 hello\r\n');
});

test('a whole transaction', () => {
  const peer = begun();
  expect(peer.sends('EHLO a.example\r\n')).toBe('250 2.0.0 OK\r\n');
  expect(peer.sends('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n')).toBe('250 2.0.0 OK\r\n250 2.0.0 OK\r\n354 go\r\n');
  expect(peer.sends('Subject: x\r\n\r\n..hi\r\n.\r\nQUIT\r\n')).toBe('250 2.0.0 OK\r\n221 2.0.0 bye\r\n');
  expect(peer.kinds).toEqual(['connect', 'ehlo', 'mail', 'rcpt', 'data', 'body', 'end-of-data', 'quit', 'gone']);
  expect(peer.events.find((event) => event.kind === 'end-of-data')).toMatchObject({
    length: 19,
    dots: true,
    lone: false,
  });
});

describe('the table, walked whole', () => {
  const way: Readonly<Record<CommandState, string>> = {
    start: '',
    ready: 'EHLO x\r\n',
    mail: 'EHLO x\r\nMAIL FROM:<a@b>\r\n',
    rcpt: 'EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n',
    chunks: 'EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 1\r\nx',
  };
  const example = (verb: string): string =>
    ({ EHLO: 'EHLO x', HELO: 'HELO x', MAIL: 'MAIL FROM:<a@b>', RCPT: 'RCPT TO:<c@d>', AUTH: 'AUTH X' })[verb] ?? verb;
  const states = Object.keys(way) as CommandState[];
  for (const [verb, command] of commands) {
    // Its octets come behind it: see bdat.test.ts.
    if (verb === 'BDAT') continue;
    test.each(states)(`${verb} in state %s`, (state) => {
      const offers = { ...serverDefaults.offers, chunking: state === 'chunks' };
      const peer = begun({ startTls: true, auth: true, trusts: TRUSTED, offers });
      peer.sends(way[state]);
      expect(peer.machine.state).toBe(state);
      const seen = peer.events.length;
      const rule = command.in[state];
      const said = peer.sends(`${example(verb)}\r\n`);
      if ('says' in rule) {
        expect(said.startsWith(`${rule.says.code} ${rule.says.enhanced ?? ''} ${rule.says.text}`)).toBe(true);
        expect(peer.machine.state).toBe(state);
      } else {
        expect(peer.events[seen]?.kind).toBe(rule.asks);
        const idle = state === 'start' ? 'start' : 'ready';
        const leadsTo = { idle, 'the same': state }[rule.leadsTo as string] ?? rule.leadsTo;
        expect(peer.machine.state).toBe(verb === 'QUIT' ? 'over' : leadsTo);
      }
    });
  }
});

describe('commands of trusted clients', () => {
  test('are known to those whose settings list them, one by one', () => {
    for (const trusted of TRUSTED) {
      const peer = begun({ trusts: [trusted] });
      peer.sends('EHLO x\r\n');
      for (const each of TRUSTED)
        expect(peer.sends(`${each} a=b\r\n`)).toBe(
          each === trusted ? '250 2.0.0 OK\r\n' : '500 5.5.2 unrecognized command\r\n',
        );
      expect(peer.events.find((event) => event.kind === trusted)).toMatchObject({ argument: 'a=b' });
    }
  });

  test('XCLIENT wants a new greeting, and is out of place in a transaction', () => {
    const peer = begun({ trusts: TRUSTED, requireEhlo: true });
    peer.sends('EHLO x\r\nMAIL FROM:<a@b>\r\n');
    expect(peer.sends('XCLIENT ADDR=1.2.3.4\r\n')).toBe('503 5.5.1 bad sequence of commands\r\n');
    peer.sends('RSET\r\nXCLIENT ADDR=1.2.3.4\r\n');
    expect(peer.machine.state).toBe('start');
    expect(peer.sends('MAIL FROM:<a@b>\r\n')).toBe('550 5.5.1 RFC2821 HELO/EHLO needed\r\n');
  });

  test('XREMOTEIP comes at any time, even before EHLO where that is required', () => {
    const peer = begun({ trusts: TRUSTED, requireEhlo: true });
    expect(peer.sends('XREMOTEIP 1.2.3.4\r\n')).toBe('250 2.0.0 OK\r\n');
    peer.sends('EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n');
    expect(peer.sends('XREMOTEIP 1.2.3.4\r\n')).toBe('250 2.0.0 OK\r\n');
    expect(peer.machine.state).toBe('rcpt');
  });
});

test('lines ahead of an awaited reply are sent at once, and only while it is awaited', () => {
  const machine = smtpServer();
  machine.preface(['220-too early']);
  const event = machine.next();
  machine.preface(['220-wait', '220-a little']);
  expect(joined(machine.take()).toString()).toBe('220-wait\r\n220-a little\r\n');
  machine.say(event?.turn ?? 0, serverWord(reply(220, undefined, 'hello'), 'go on'), millis(0));
  machine.preface(['220-too late']);
  expect(joined(machine.take()).toString()).toBe('220 hello\r\n');
});

test('a refused command leaves the state as it was', () => {
  const peer = begun();
  peer.sends('EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<no@d>\r\n');
  expect(peer.machine.state).toBe('mail');
  expect(peer.sends('DATA\r\n')).toBe('503 5.5.1 DATA without RCPT TO\r\n');
});

test.each([
  ['', '500 5.5.2 unrecognized command'],
  ['WHAT', '500 5.5.2 unrecognized command'],
  ['MAILFROM:<a@b>', '500 5.5.2 unrecognized command'],
  ['EHLO', '501 5.5.2 invalid EHLO'],
  ['EHLO  ', '501 5.5.2 invalid EHLO'],
  ['HELO', '501 5.5.2 invalid HELO'],
  ['HELO a\rb', '501 5.5.2 invalid HELO'],
  ['MAIL', '501 5.5.2 MAIL FROM syntax error'],
  ['MAIL FROM:a@b', '501 5.5.2 MAIL FROM syntax error'],
  ['MAIL TO:<a@b>', '501 5.5.2 MAIL FROM syntax error'],
  ['MAIL FROM:<a@b> SIZE=x', '501 5.5.4 invalid parameter'],
  ['MAIL FROM:<a@b> BODY=BINARYMIME', '501 5.5.4 invalid parameter'],
  ['MAIL FROM:<a@b> RET=HDRS', '555 5.5.4 unsupported parameter'],
  ['MAIL FROM:<a@b> SIZE=1001', '552 5.3.4 message size limit exceeded'],
  ['MAIL FROM:<a@b> SIZE=1000 BODY=8bitmime', '250 2.0.0 OK'],
  ['RCPT TO:<c@d>', '503 5.5.1 RCPT TO without MAIL FROM'],
  ['DATA', '503 5.5.1 DATA without MAIL FROM'],
  ['RSET x', '501 5.5.4 invalid arguments to RSET'],
  ['QUIT x', '501 5.5.4 Syntax error (no parameters allowed)'],
  ['NOOP x', '250 2.0.0 OK'],
  ['noop', '250 2.0.0 OK'],
  ['XCLIENT ADDR=1.2.3.4', '500 5.5.2 unrecognized command'],
])('%j is answered with %s', (line, answered) => {
  const peer = begun({ maxMessageSize: 1000 });
  peer.sends('EHLO x\r\n');
  expect(peer.sends(`${line}\r\n`)).toBe(`${answered}\r\n`);
});

test.each([
  ['RCPT TO:<>', '501 RCPT TO syntax error'],
  ['RCPT TO:<a@b> NOTIFY=NEVER', '555 unsupported parameter'],
  ['MAIL FROM:<x@y>', '501 MAIL FROM already established'],
  ['DATA x', '503 DATA without RCPT TO'],
])('without ENHANCEDSTATUSCODES %j in a transaction is answered with %s', (line, answered) => {
  const peer = begun({ enhancedCodes: false });
  peer.sends('MAIL FROM:<a@b>\r\n');
  expect(peer.sends(`${line}\r\n`)).toBe(`${answered}\r\n`);
});

test('DATA takes no argument, but blanks', () => {
  const peer = begun();
  peer.sends('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n');
  expect(peer.sends('DATA now\r\n')).toBe('501 5.5.4 unexpected argument to DATA\r\n');
  expect(peer.sends('DATA  \r\n')).toBe('354 go\r\n');
});

test('with Require_EHLO only greeting, NOOP, RSET, HELP and QUIT come before it', () => {
  const peer = begun({ requireEhlo: true });
  for (const line of ['MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'DATA', 'VRFY x', 'EXPN x']) {
    expect(peer.sends(`${line}\r\n`)).toBe('550 5.5.1 RFC2821 HELO/EHLO needed\r\n');
  }
  for (const line of ['NOOP', 'RSET']) expect(peer.sends(`${line}\r\n`)).toBe('250 2.0.0 OK\r\n');
  expect(peer.sends('HELP\r\n').startsWith('214 ')).toBe(true);
  peer.sends('HELO x\r\n');
  expect(peer.sends('MAIL FROM:<a@b>\r\n')).toBe('250 2.0.0 OK\r\n');
});

describe('line limits', () => {
  const line = (start: string, length: number): string => `${start}${'x'.repeat(length - start.length - 2)}\r\n`;
  test.each([
    ['NOOP ', 2048],
    ['MAIL ', 4096],
    ['rcpt ', 4096],
    ['AUTH ', 12288],
  ])('%s %i octets are a line, one more is too long and the session goes on', (verb, limit) => {
    for (const cut of [1, 100, 100_000]) {
      const peer = begun();
      let said = '';
      const text = `${line(verb, limit) + line(verb, limit + 1) + line(verb, 50_000)}NOOP\r\n`;
      for (let at = 0; at < text.length; at += cut) said += peer.sends(text.slice(at, at + cut));
      const codes = said
        .trim()
        .split('\r\n')
        .map((each) => each.slice(0, 9));
      expect(codes.slice(1)).toEqual(['500 5.5.2', '500 5.5.2', '250 2.0.0']);
      expect(codes[0]).not.toBe('500 5.5.2');
      expect(said).toContain('500 5.5.2 line too long\r\n500 5.5.2 line too long');
    }
  });

  test('a line that never ends is not kept', () => {
    const peer = begun();
    for (let sent = 0; sent < 100; sent += 1) {
      expect(peer.sends('x'.repeat(65536))).toBe('');
      expect(peer.machine.buffered).toBeLessThan(13_000);
    }
  });
});

describe('bare LF', () => {
  test('ends a command for a client that waits for its replies', () => {
    const peer = begun();
    expect(peer.sends('NOOP\n')).toBe('250 2.0.0 OK\r\n');
    expect(peer.sends('NOOP\n')).toBe('250 2.0.0 OK\r\n');
  });
  test('is refused in a pipelined group, and from then on', () => {
    const peer = begun();
    expect(peer.sends('NOOP\nNOOP\r\n')).toBe('500 5.5.2 bare LF in a pipelined command\r\n250 2.0.0 OK\r\n');
    expect(peer.sends('NOOP\n')).toBe('500 5.5.2 bare LF in a pipelined command\r\n');
  });
});

test('data before the 354 is a protocol deviation: 421 and the end', () => {
  const peer = begun();
  expect(peer.sends('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\r\n.\r\n')).toMatch(
    /421 4\.5\.0 protocol deviation.*\r\n$/,
  );
  expect(peer.kinds.slice(-2)).toEqual(['refused', 'gone']);
  expect(peer.sends('NOOP\r\n')).toBe('');
});

test('a DATA that is refused may be followed by commands', () => {
  const peer = begun();
  expect(peer.sends('MAIL FROM:<a@b>\r\nRCPT TO:<no@d>\r\nDATA\r\nRSET\r\n')).toMatch(
    /503 5\.5\.1 .*\r\n250 2\.0\.0 OK\r\n$/,
  );
});

test('while a word is awaited nothing is read, and a stale word is ignored', () => {
  const machine = smtpServer();
  const connect = machine.next();
  machine.receive(Buffer.from('NOOP\r\n'), millis(0));
  expect(machine.next()).toBeUndefined();
  expect([machine.waits, machine.buffered, machine.deadline]).toEqual(['word', 6, undefined]);
  machine.say((connect?.turn ?? 0) + 1, serverWord(OK, 'go on'), millis(0));
  expect(machine.waits).toBe('word');
  machine.say(connect?.turn ?? 0, serverWord(OK, 'go on'), millis(0));
  machine.say(connect?.turn ?? 0, serverWord(OK, 'close'), millis(0));
  expect(machine.next()).toBeUndefined();
  expect(joined(machine.take()).toString()).toBe('250 2.0.0 OK\r\n250 2.0.0 OK\r\n');
});

test('the deadline runs while we wait for the client, and a dripping command does not put it off', () => {
  const peer = begun({ idle: millis(1000), hostName: 'mx.example' });
  peer.now = 500;
  peer.sends('NOOP\r\nNO');
  peer.now = 1400;
  peer.sends('O');
  peer.machine.expire(millis(1499));
  expect(peer.said()).toBe('');
  peer.machine.expire(millis(1500));
  peer.drain();
  expect(peer.said()).toBe('421 4.4.2 mx.example idle timeout\r\n');
  expect(peer.events.at(-1)).toMatchObject({ kind: 'gone', why: 'idle timeout' });
});

test('a body that keeps coming puts the deadline off', () => {
  const peer = begun({ idle: millis(1000) });
  peer.sends('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n');
  peer.now = 900;
  peer.sends('a');
  peer.machine.expire(millis(1800));
  expect(peer.machine.state).toBe('body');
});

test('a dismissed client hears why and nothing else', () => {
  const peer = begun();
  peer.machine.dismiss(reply(421, '4.3.2', 'stopping'));
  expect(peer.sends('NOOP\r\n')).toBe('421 4.3.2 stopping\r\n');
  expect(peer.kinds.at(-1)).toBe('gone');
});

/** Feeds a script turn by turn: each element is what a client sends before it waits. */
function replies(turns: readonly string[], cut: (text: string) => readonly string[]): readonly string[] {
  const peer = new Conversation();
  return [
    peer.said(),
    ...turns.map((turn) =>
      cut(turn)
        .map((part) => peer.sends(part))
        .join(''),
    ),
  ];
}

test('commands and bodies give the same replies whole, byte by byte and cut at random', () => {
  const command = fc.constantFrom(
    'EHLO x\r\n',
    'HELO\r\n',
    'MAIL FROM:<a@b>\r\n',
    'MAIL FROM:<>\r\n',
    'RCPT TO:<c@d>\r\n',
    'RCPT TO:<no@d>\r\n',
    'RSET\r\n',
    'NOOP\r\n',
    'JUNK\r\n',
    '\r\n',
    'VRFY x\r\n',
    'RCPT TO:<x\r\n',
  );
  const group = fc
    .tuple(fc.array(command, { maxLength: 5 }), fc.boolean())
    .map(([lines, data]) => lines.join('') + (data ? 'DATA\r\n' : ''));
  const body = fc
    .array(fc.constantFrom('line\r\n', '..dot\r\n', '\r', '\n', '.\n', 'x'), { maxLength: 8 })
    .map((parts) => `${parts.join('')}\r\n.\r\n`);
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.array(fc.tuple(group, body), { maxLength: 6 }), cuts, (script, sizes) => {
      // Bodies without a 354 are commands like any others, so both halves are always sent.
      const turns = script.flat();
      const whole = replies(turns, (text) => [text]);
      if (whole.some((said) => said.includes('421'))) return;
      const atRandom = (text: string): string[] => {
        const parts: string[] = [];
        for (let at = 0, index = 0; at < text.length; index += 1) {
          const size = sizes[index % sizes.length] ?? 1;
          parts.push(text.slice(at, at + size));
          at += size;
        }
        return parts;
      };
      // A bare LF outside a body depends on whether the client waited, which cutting changes.
      if (whole.some((said) => said.includes('bare LF'))) return;
      expect(replies(turns, atRandom)).toEqual(whole);
      expect(replies(turns, (text) => [...text])).toEqual(whole);
    }),
    { numRuns: 400 },
  );
});

test('ten thousand random byte streams give nothing but replies', () => {
  const piece = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'EHLO x\r\n',
        'MAIL FROM:<a@b>\r\n',
        'RCPT TO:<c@d>\r\n',
        'DATA\r\n',
        '\r\n.\r\n',
        '\r\n',
        '\n',
        'RSET\r\n',
      ),
    },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString('latin1')) },
  );
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 6 }), (chunks) => {
      const peer = new Conversation();
      let said = peer.said();
      for (const chunk of chunks) said += peer.sends(chunk.join(''));
      expect(said).toMatch(/^(?:[2-5][0-9]{2}[ -][\x20-\x7e]*\r\n)+$/);
      expect(peer.machine.buffered).toBeLessThan(13_000);
      const bad: Reply[] = peer.events.flatMap((event) => (event.kind === 'refused' ? [event.reply] : []));
      for (const each of bad) expect(each.code).toBeGreaterThanOrEqual(400);
    }),
    { numRuns: 10_000 },
  );
});
