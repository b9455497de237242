import { describe, expect, test } from 'vitest';
import { bytesIn, joined, type Millis, millis, type Segments } from '../base/index.ts';
import { type Clock, NetworkError, type Pipe } from '../world/index.ts';
import { type TestMessage, testBody, testMessage } from './send-message.ts';
import { type Batch, REPLY_MILLIS, type Result, SendSession } from './send-session.ts';

/** A server that says what a test tells it, and a clock that the test moves. */
class Script implements Batch, Clock {
  readonly results: Result[] = [];
  over: string | undefined | 'running' = 'running';
  destroyed = false;
  ended_ = false;
  readonly lines: string[] = [];
  #time = millis(0);
  #due: { readonly at: Millis; readonly run: () => void }[] = [];
  #written = '';
  readonly #left: TestMessage[];
  readonly session: SendSession;

  constructor(messages: readonly TestMessage[]) {
    this.#left = [...messages];
    this.session = new SendSession(this, 'me.example', this);
    const pipe: Pipe = {
      remote: { ip: '127.0.0.1', port: 25 },
      local: { ip: '127.0.0.1', port: 1025 },
      write: (bytes: Segments) => {
        this.#written += joined(bytes).toString('latin1');
        return bytesIn(bytes) >= 0;
      },
      secure: () => undefined,
      pause: () => {},
      resume: () => {},
      end: () => {
        this.ended_ = true;
      },
      destroy: () => {
        this.destroyed = true;
      },
    };
    this.session.start(pipe);
    this.session.opened();
  }

  now(): Millis {
    return this.#time;
  }
  date(): Millis {
    return this.#time;
  }
  defer(run: () => void): void {
    run();
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
  pass(milliseconds: number): this {
    this.#time = millis(this.#time + milliseconds);
    const due = this.#due.filter((entry) => entry.at <= this.#time);
    this.#due = this.#due.filter((entry) => entry.at > this.#time);
    for (const entry of due) entry.run();
    return this;
  }

  next(): TestMessage | undefined {
    return this.#left.shift();
  }
  settled(_message: TestMessage, result: Result): void {
    this.results.push(result);
  }
  ended(trouble: string | undefined): void {
    this.over = trouble;
  }
  heard(direction: 'to' | 'from', line: string): void {
    this.lines.push(`${direction} ${line}`);
  }

  says(...lines: string[]): this {
    this.session.data(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1'));
    return this;
  }
  hears(text: string): this {
    expect(this.#written).toBe(text);
    this.#written = '';
    return this;
  }
}

const message = (to: readonly string[] = ['r@b.example'], text = 'hi'): TestMessage =>
  testMessage(
    { from: 's@a.example', to, subject: '', hostName: 'h', text: testBody(Buffer.from(text), true) },
    1,
    millis(0),
    't',
  );

const greeted = (script: Script): Script =>
  script
    .says('220 hello')
    .hears('EHLO me.example\r\n')
    .says('250-b.example', '250-PIPELINING', '250-SIZE 1000', '250 8BITMIME');

describe('a session of impetus send', () => {
  test('sends a transaction in one write, and the text after 354', () => {
    const script = greeted(new Script([message()]));
    script
      .hears('MAIL FROM:<s@a.example> SIZE=4\r\nRCPT TO:<r@b.example>\r\nDATA\r\n')
      .says('250 ok', '250 ok', '354 go')
      .hears('hi\r\n.\r\n')
      .pass(20)
      .says('250 2.0.0 OK 10/00-00001-00000000')
      .hears('QUIT\r\n')
      .says('221 bye');
    expect(script.results).toMatchObject([{ kind: 'accepted', took: 20, refused: [] }]);
    expect(script.ended_).toBe(true);
    script.session.closed();
    expect(script.over).toBeUndefined();
  });

  test('without PIPELINING each command waits for the reply before it', () => {
    const script = new Script([message(['a@b.example', 'c@b.example'])]);
    script
      .says('220 hello')
      .hears('EHLO me.example\r\n')
      .says('502 what')
      .hears('HELO me.example\r\n')
      .says('250 ok')
      .hears('MAIL FROM:<s@a.example>\r\n')
      .says('250 ok')
      .hears('RCPT TO:<a@b.example>\r\n')
      .says('250 ok')
      .hears('RCPT TO:<c@b.example>\r\n')
      .says('550 5.1.1 no')
      .hears('DATA\r\n')
      .says('354 go')
      .hears('hi\r\n.\r\n')
      .says('250 ok');
    expect(script.results).toMatchObject([
      { kind: 'accepted', refused: [{ what: 'c@b.example', reply: { code: 550 } }] },
    ]);
  });

  test('8-bit text is announced where that is offered', () => {
    greeted(new Script([message(undefined, 'gr\u00fc\u00dfe')])).hears(
      'MAIL FROM:<s@a.example> SIZE=9 BODY=8BITMIME\r\nRCPT TO:<r@b.example>\r\nDATA\r\n',
    );
  });

  test('a refused recipient, then the next message', () => {
    const script = greeted(new Script([message(), message()]));
    script.says('250 ok', '550 5.1.1 no', '503 5.5.1 no recipients');
    expect(script.results).toMatchObject([
      { kind: 'refused', refused: [{ what: 'r@b.example', reply: { code: 550 } }] },
    ]);
    script.says('250 reset').says('250 ok', '250 ok', '354 go').says('250 ok');
    expect(script.results).toHaveLength(2);
  });

  test('a refused sender is told once, not once for each command behind it', () => {
    const script = greeted(new Script([message()]));
    script.says('550 5.7.1 no', '503 bad', '503 bad');
    expect(script.results).toMatchObject([{ kind: 'refused', refused: [{ what: 'MAIL FROM', reply: { code: 550 } }] }]);
  });

  test('354 although nobody is left is answered with a lone dot', () => {
    const script = greeted(new Script([message()]));
    script
      .says('250 ok', '450 4.2.0 later', '354 go')
      .hears('MAIL FROM:<s@a.example> SIZE=4\r\nRCPT TO:<r@b.example>\r\nDATA\r\n.\r\n')
      .says('554 no recipients');
    expect(script.results).toMatchObject([
      { kind: 'refused', refused: [{ what: 'r@b.example', reply: { code: 450 } }] },
    ]);
  });

  test('421 ends the session, and says so', () => {
    const script = greeted(new Script([message()]));
    script.says('250 ok', '421 4.7.0 too much');
    expect(script.results).toMatchObject([{ kind: 'refused', refused: [{ reply: { code: 421 } }] }]);
    expect(script.over).toBe('421 4.7.0 too much');
    expect(script.destroyed).toBe(true);
    script.session.closed();
    expect(script.results).toHaveLength(1);
  });

  test('a connection lost after the dot leaves the message unknown', () => {
    const script = greeted(new Script([message()]));
    script.says('250 ok', '250 ok', '354 go');
    script.session.closed(new NetworkError('ECONNRESET', 'connection reset by peer'));
    expect(script.results).toEqual([{ kind: 'unknown', why: 'connection reset by peer' }]);
    expect(script.over).toBe('connection reset by peer');
  });

  test('a server that says nothing is given up after two minutes, counted from its last word', () => {
    const script = greeted(new Script([message()]));
    script
      .pass(REPLY_MILLIS - 1)
      .says('250 ok')
      .pass(REPLY_MILLIS - 1);
    expect(script.over).toBe('running');
    script.pass(2);
    expect(script.over).toBe('no reply within 120 s');
    expect(script.destroyed).toBe(true);
  });

  test.each([
    ['554 not today', /greets with 554/],
    ['hello?', /no SMTP reply: hello\?/],
  ])('greeted with %s it sends nothing', (greeting, why) => {
    const script = new Script([message()]);
    script.says(greeting).hears('');
    expect(script.over).toMatch(why);
    expect(script.results).toEqual([]);
  });

  test('byte by byte the dialogue is the same', () => {
    const script = new Script([message()]);
    for (const character of '220 hi\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 OK\r\n221 bye\r\n') {
      script.session.data(Buffer.from(character));
    }
    expect(script.results).toMatchObject([{ kind: 'accepted' }]);
    expect(script.lines.filter((line) => line.startsWith('from'))).toEqual([
      'from 220 hi',
      'from 250-x',
      'from 250 PIPELINING',
      'from 250 ok',
      'from 250 ok',
      'from 354 go',
      'from 250 2.0.0 OK',
      'from 221 bye',
    ]);
  });
});
