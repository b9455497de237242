import { expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { SmtpClient } from './client.ts';
import type { ClientEvent, ClientSettings } from './client-events.ts';
import { replyText } from './reply.ts';

const settings: ClientSettings = {
  ehloName: 'me.test',
  plainSmtp: false,
  lmtp: false,
  pipelining: true,
  tls: { use: 'no', fallback: true, alwaysNewConnection: true },
  timeouts: { ehlo: 300_000, mailFrom: 200_000, rcptTo: 100_000, body: 600_000, rset: 30_000 },
};

/** A client and a hand that plays its peer and its driver. */
function session(changes: Partial<ClientSettings> = {}) {
  let now = 0;
  const machine = new SmtpClient({ ...settings, ...changes }, millis(now));
  const events: ClientEvent[] = [];
  const turns = { ready: 0, body: 0 };
  const drain = (): void => {
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      events.push(event);
      if (event.kind === 'ready') turns.ready = event.turn;
      if (event.kind === 'body') turns.body = event.turn;
    }
  };
  const self = {
    machine,
    says(...lines: string[]) {
      for (const line of lines) machine.receive(Buffer.from(`${line}\r\n`), millis(now));
      drain();
      return self;
    },
    sends(expected: string) {
      expect(joined(machine.take()).toString('latin1')).toBe(expected.replaceAll('\n', '\r\n'));
      return self;
    },
    transaction(number: number, recipients: string[], reversePath = 'a@src.test') {
      machine.say(
        turns.ready,
        { kind: 'transaction', transaction: number, reversePath, recipients, size: 100 },
        millis(now),
      );
      drain();
      return self;
    },
    bodySent() {
      machine.say(turns.body, { kind: 'sent' }, millis(now));
      drain();
      return self;
    },
    quits() {
      machine.say(turns.ready, { kind: 'quit' }, millis(now));
      drain();
      return self;
    },
    later(by: number) {
      now += by;
      machine.expire(millis(now));
      drain();
      return self;
    },
    closes() {
      machine.closed();
      drain();
      return self;
    },
    happened() {
      return events.splice(0).map((event) => {
        switch (event.kind) {
          case 'settled':
            return `settled ${event.transaction}: ${event.results.map((result) => `${result.kind} ${result.stage} ${replyText(result.reply)}`).join(' | ')}`;
          case 'over':
            return `over ${event.before ? 'before' : 'after'} ${event.stage} ${replyText(event.reply)}${event.tls === undefined ? '' : ` tls ${event.tls}`}`;
          case 'secure':
            return 'secure';
          case 'ready':
            return event.ahead ? 'ready ahead' : 'ready';
          default:
            return `${event.kind} ${event.transaction}`;
        }
      });
    },
  };
  return self;
}

const greeted = (changes: Partial<ClientSettings> = {}) => {
  const peer = session(changes)
    .says('220 mx.test')
    .sends('EHLO me.test\n')
    .says('250-mx.test', '250-PIPELINING', '250 SIZE 1000');
  expect(peer.happened()).toEqual(['ready']);
  return peer;
};

test('a pipelined transaction goes out at once, the next one right behind the body', () => {
  const peer = greeted()
    .transaction(1, ['b@dst.test'])
    .sends('MAIL FROM:<a@src.test> SIZE=100\nRCPT TO:<b@dst.test>\nDATA\n');
  peer.says('250 ok', '250 ok', '354 go');
  expect(peer.happened()).toEqual(['body 1']);
  peer.bodySent();
  expect(peer.happened()).toEqual(['ready ahead']);
  peer.transaction(2, ['c@dst.test']).sends('MAIL FROM:<a@src.test> SIZE=100\nRCPT TO:<c@dst.test>\nDATA\n');
  peer.says('250 2.0.0 queued', '250 ok', '250 ok', '354 go');
  expect(peer.happened()).toEqual(['settled 1: delivered 9 250 2.0.0 queued', 'body 2']);
});

test('a peer without PIPELINING is told one command at a time', () => {
  const peer = session().says('220 x').sends('EHLO me.test\n').says('250 x');
  peer
    .transaction(1, ['b@dst.test', 'c@dst.test'])
    .sends('MAIL FROM:<a@src.test>\n')
    .says('250 ok')
    .sends('RCPT TO:<b@dst.test>\n');
  peer
    .says('550 5.1.1 no')
    .sends('RCPT TO:<c@dst.test>\n')
    .says('250 ok')
    .sends('DATA\n')
    .says('354 go')
    .bodySent()
    .says('250 ok');
  expect(peer.happened()).toEqual([
    'ready',
    'body 1',
    'settled 1: failed 5 550 5.1.1 no | delivered 9 250 ok',
    'ready',
  ]);
});

test('without PIPELINING a refused MAIL ends the transaction and a RSET goes ahead of the next', () => {
  const peer = session().says('220 x').sends('EHLO me.test\n').says('250 x');
  peer.transaction(1, ['b@dst.test']).sends('MAIL FROM:<a@src.test>\n').says('450 4.7.1 later').sends('');
  expect(peer.happened()).toEqual(['ready', 'settled 1: deferred 3 450 4.7.1 later', 'ready']);
  peer.transaction(2, ['b@dst.test']).sends('RSET\n').says('250 ok').sends('MAIL FROM:<a@src.test>\n');
});

test('when every recipient is refused and 354 comes all the same, a lone dot ends it', () => {
  const peer = greeted()
    .transaction(1, ['b@dst.test'])
    .sends('MAIL FROM:<a@src.test> SIZE=100\nRCPT TO:<b@dst.test>\nDATA\n');
  peer.says('250 ok', '550 5.1.1 no', '354 go').sends('.\n').says('554 no recipients');
  expect(peer.happened()).toEqual(['settled 1: failed 5 550 5.1.1 no', 'ready']);
});

test('when MAIL is refused the replies to its group change nothing', () => {
  const peer = greeted()
    .transaction(1, ['b@dst.test', 'c@dst.test'])
    .says('550 5.7.1 no', '503 first MAIL', '503 first MAIL', '503 first MAIL');
  expect(peer.happened()).toEqual(['settled 1: failed 3 550 5.7.1 no | failed 3 550 5.7.1 no', 'ready']);
});

test('a 421 fails the current message alone and the pipelined one goes back uncharged', () => {
  const peer = greeted()
    .transaction(1, ['b@dst.test'])
    .says('250 ok', '250 ok', '354 go')
    .bodySent()
    .transaction(2, ['c@dst.test']);
  peer.happened();
  peer.says('421 4.3.2 closing');
  expect(peer.happened()).toEqual([
    'settled 1: deferred 9 421 4.3.2 closing',
    'returned 2',
    'over after 2 421 4.3.2 closing',
  ]);
});

test('a peer that closes after its 250 costs the pipelined message nothing', () => {
  const peer = greeted()
    .transaction(1, ['b@dst.test'])
    .says('250 ok', '250 ok', '354 go')
    .bodySent()
    .transaction(2, ['c@dst.test'])
    .says('250 ok');
  peer.happened();
  expect(peer.closes().happened()).toEqual([
    'returned 2',
    'over after 2 451 4.4.2 [internal] connection closed by remote host',
  ]);
});

test('a connection lost while the confirmation is awaited is a transient failure of that stage', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).says('250 ok', '250 ok', '354 go').bodySent().closes();
  expect(peer.happened()).toContain('settled 1: deferred 9 451 4.4.2 [internal] connection closed by remote host');
});

test.each([
  [[], 300_000, 'over before 12 451 4.4.2 [internal] no banner'],
  [['220 x'], 300_000, 'over before 10 451 4.4.2 [internal] no HELO/EHLO response'],
])('after %j a silent peer is given up', (lines, wait, expected) => {
  const peer = session()
    .says(...lines)
    .later(wait - 1);
  expect(peer.happened()).toEqual([]);
  expect(peer.later(1).happened()).toEqual([expected]);
});

test('each reply of a pipelined group is given its own time', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).later(199_999).says('250 ok').later(99_999).says('250 ok');
  expect(peer.later(100_000).happened()).toEqual([
    'settled 1: deferred 6 451 4.4.2 [internal] no DATA response',
    'over after 6 451 4.4.2 [internal] no DATA response',
  ]);
});

test('a body that makes no progress is cut, and nothing follows it that could be taken for content', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).says('250 ok', '250 ok', '354 go');
  peer.machine.take();
  peer.later(600_000).sends('');
  expect(peer.happened().at(-1)).toBe('over after 8 451 4.4.2 [internal] send BODY failed');
});

test('a refusal in the middle of a body is the verdict', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).says('250 ok', '250 ok', '354 go', '552 5.3.4 too big');
  expect(peer.happened().slice(1)).toEqual(['settled 1: failed 8 552 5.3.4 too big', 'over after 8 552 5.3.4 too big']);
});

test('a refusing banner ends the session before anything was possible', () => {
  expect(session().says('554 5.3.2 go away').happened()).toEqual(['over before 12 554 5.3.2 go away']);
});

test('a peer that does not know EHLO is greeted with HELO', () => {
  const peer = session().says('220 x').sends('EHLO me.test\n').says('500 what?').sends('HELO me.test\n').says('250 x');
  expect(peer.happened()).toEqual(['ready']);
});

test('garbage in place of a reply ends the session as a transient failure', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).says('hello there');
  expect(peer.happened()[0]).toBe('settled 1: deferred 2 451 4.4.2 [internal] unintelligible reply: hello there');
});

test('LMTP has a reply for each accepted recipient after the dot', () => {
  const peer = session({ lmtp: true }).says('220 x').sends('LHLO me.test\n').says('250-x', '250 PIPELINING');
  peer
    .transaction(1, ['b@x.test', 'c@x.test', 'd@x.test'])
    .says('250 ok', '250 ok', '550 no', '250 ok', '354 go')
    .bodySent();
  peer.says('250 stored', '452 4.2.2 full');
  expect(peer.happened().at(-1)).toBe(
    'settled 1: delivered 9 250 stored | failed 5 550 no | deferred 9 452 4.2.2 full',
  );
});

test('a path that would end its own line never reaches the peer', () => {
  const peer = greeted().transaction(1, ['b@dst.test>\r\nDATA']).sends('');
  expect(peer.happened()).toEqual([
    'settled 1: failed 4 550 5.1.3 [internal] MAIL FROM/RCPT TO arguments not valid',
    'ready',
  ]);
});

test('QUIT may be pipelined behind the last body', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).says('250 ok', '250 ok', '354 go').bodySent();
  peer.machine.take();
  peer.quits().sends('QUIT\n').says('250 stored', '221 bye');
  expect(peer.happened().slice(-2)).toEqual(['settled 1: delivered 9 250 stored', 'over after 1 221 bye']);
});

test('a recipient that would end its own line fails alone', () => {
  const peer = greeted().transaction(1, ['b@dst.test', 'c@dst.test>\r\nQUIT', 'd@dst.test']);
  peer.sends('MAIL FROM:<a@src.test> SIZE=100\nRCPT TO:<b@dst.test>\nRCPT TO:<d@dst.test>\nDATA\n');
  peer.says('250 ok', '250 ok', '550 5.1.1 no', '354 go').bodySent().says('250 stored');
  expect(peer.happened().at(-1)).toBe(
    'settled 1: delivered 9 250 stored | failed 4 550 5.1.3 [internal] MAIL FROM/RCPT TO arguments not valid | failed 5 550 5.1.1 no',
  );
});

test('without PIPELINING no DATA is sent when the only recipients that could be asked are refused', () => {
  const peer = session().says('220 x').sends('EHLO me.test\n').says('250 x');
  peer.transaction(1, ['b@dst.test', 'c@dst.test\n']).sends('MAIL FROM:<a@src.test>\n').says('250 ok');
  peer.sends('RCPT TO:<b@dst.test>\n').says('550 no').sends('');
  expect(peer.happened().at(-1)).toBe('ready');
});

test('a peer that says goodbye behind its EHLO reply is given nothing', () => {
  const peer = session().says('220 x').sends('EHLO me.test\n');
  peer.machine.receive(Buffer.from('250 x\r\n421 4.3.2 busy\r\n'), millis(0));
  expect(peer.machine.next()).toMatchObject({ kind: 'over', reply: { code: 421 } });
});

test('a session that ends without an answer costs the first message an attempt, and a later one nothing', () => {
  expect(greeted().transaction(1, ['b@dst.test']).closes().happened()[0]).toContain('settled 1: deferred 2');
  const peer = greeted()
    .transaction(1, ['b@dst.test'])
    .says('250 ok', '250 ok', '354 go')
    .bodySent()
    .says('250 stored');
  peer.transaction(2, ['c@dst.test']);
  peer.happened();
  expect(peer.closes().happened()[0]).toBe('returned 2');
});

test('a 421 to the MAIL of a later message is an answer, and costs it an attempt', () => {
  const peer = greeted()
    .transaction(1, ['b@dst.test'])
    .says('250 ok', '250 ok', '354 go')
    .bodySent()
    .says('250 stored');
  peer.transaction(2, ['c@dst.test']);
  peer.happened();
  expect(peer.says('421 4.4.2 idle too long').happened()[0]).toBe('settled 2: deferred 3 421 4.4.2 idle too long');
});

test('a 3xx that asks for nothing is no verdict', () => {
  const peer = greeted().transaction(1, ['b@dst.test']).says('250 ok', '334 go on', '503 no');
  expect(peer.happened()[0]).toBe('settled 1: deferred 5 451 4.4.2 [internal] unexpected reply: 334 go on');
});

test('an LMTP peer that asks for a body that nobody takes is left without another byte', () => {
  const peer = session({ lmtp: true }).says('220 x').sends('LHLO me.test\n').says('250-x', '250 PIPELINING');
  peer.transaction(1, ['b@x.test']).sends('MAIL FROM:<a@src.test>\nRCPT TO:<b@x.test>\nDATA\n');
  peer.says('250 ok', '550 no', '354 go').sends('');
  expect(peer.happened().slice(-2)).toEqual([
    'settled 1: failed 5 550 no',
    'over after 8 451 4.4.2 [internal] 354 without a recipient',
  ]);
});

test('a peer that accepts recipients after it has refused MAIL is not given an empty message', () => {
  const peer = greeted().transaction(1, ['b@dst.test']);
  peer.machine.take();
  peer.says('450 4.7.1 no', '250 ok', '354 go').sends('');
  expect(peer.happened()).toEqual([
    'settled 1: deferred 3 450 4.7.1 no',
    'over after 8 451 4.4.2 [internal] 354 without a recipient',
  ]);
});
