import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, type Millis, millis } from '../base/index.ts';
import { SmtpClient } from './client.ts';
import type { ClientEvent, ClientSettings, ClientTls } from './client-events.ts';
import { tlsReplies } from './client-stages.ts';
import { replyText } from './reply.ts';

const timeouts = { ehlo: 30_000, mailFrom: 20_000, rcptTo: 20_000, body: 60_000, rset: 10_000 };
const ifavailable: ClientTls = { use: 'ifavailable', fallback: true, alwaysNewConnection: true };
const required: ClientTls = { use: 'required', fallback: true, alwaysNewConnection: true };

/** A client, its driver, and the pieces in which its peer's words come. */
class Session {
  readonly machine: SmtpClient;
  readonly heard: string[] = [];
  sent = '';
  now: Millis = millis(0);
  /** The driver's answer to `secure`; undefined: the handshake has not ended. */
  handshake: 'secured' | 'untrusted' | undefined = 'secured';
  readonly #cut: (text: string) => readonly string[];
  #turn = 0;

  constructor(
    tls: ClientTls,
    more: Partial<ClientSettings> = {},
    cut: (text: string) => readonly string[] = (text) => [text],
  ) {
    const settings = { ehloName: 'me.test', plainSmtp: false, lmtp: false, pipelining: true, tls, timeouts, ...more };
    this.machine = new SmtpClient(settings, this.now);
    this.#cut = cut;
  }

  says(text: string): this {
    for (const piece of this.#cut(text.replaceAll('\n', '\r\n'))) {
      this.machine.receive(Buffer.from(piece), this.now);
      this.#drain();
    }
    return this;
  }

  later(by: number): this {
    this.now = millis(this.now + by);
    this.machine.expire(this.now);
    this.#drain();
    return this;
  }

  closes(): this {
    this.machine.closed();
    this.#drain();
    return this;
  }

  /** @returns what happened since the last time */
  get news(): readonly string[] {
    return this.heard.splice(0);
  }

  #drain(): void {
    for (let event = this.machine.next(); event !== undefined; event = this.machine.next()) {
      this.#flush();
      this.heard.push(inWords(event));
      if (event.kind !== 'secure') continue;
      this.#turn = event.turn;
      if (this.handshake !== undefined) this.shake(this.handshake);
    }
    this.#flush();
  }

  shake(how: 'secured' | 'untrusted'): void {
    this.machine.say(
      this.#turn,
      how === 'secured' ? { kind: 'secured' } : { kind: 'insecure', reply: tlsReplies.untrusted },
      this.now,
    );
    this.#drain();
  }

  #flush(): void {
    this.sent += joined(this.machine.take()).toString('latin1').replaceAll('\r\n', '|');
  }
}

function inWords(event: ClientEvent): string {
  if (event.kind !== 'over') return event.kind;
  return `over ${event.stage} ${replyText(event.reply)}${event.tls === undefined ? '' : ` (${event.tls})`}`;
}

const HELLO = '220 mx.test\n250-mx.test\n250-STARTTLS\n250 PIPELINING\n';

describe.each<[string, (text: string) => readonly string[]]>([
  ['whole', (text) => [text]],
  ['byte by byte', (text) => [...text]],
])('a session with TLS, heard %s', (_, cut) => {
  test('asks for TLS, has the pipe secured, greets again and forgets what was offered in clear', () => {
    const session = new Session(required, {}, cut)
      .says('220 mx.test\n')
      .says('250-mx.test\n250-STARTTLS\n250 SIZE 5\n');
    expect(session.sent).toBe('EHLO me.test|STARTTLS|');
    expect(session.machine.stage).toBe(15);
    session.says('220 go\n');
    expect(session.sent).toBe('EHLO me.test|STARTTLS|EHLO me.test|');
    expect(session.machine.extensions.size).toBeUndefined();
    // Offered once more, and not asked for once more.
    session.says('250-mx.test\n250-STARTTLS\n250 PIPELINING\n');
    expect(session.news).toEqual(['secure', 'ready']);
    expect(session.sent).toBe('EHLO me.test|STARTTLS|EHLO me.test|');
    expect(session.machine.extensions.pipelining).toBe(true);
  });

  test('with `no` nothing is asked for, though it is offered', () => {
    const session = new Session({ ...ifavailable, use: 'no' }, {}, cut).says(HELLO);
    expect([session.sent, session.news]).toEqual(['EHLO me.test|', ['ready']]);
  });

  test('with `ifavailable` a peer that does not offer TLS is talked to in clear', () => {
    const session = new Session(ifavailable, {}, cut).says('220 mx.test\n250 mx.test\n');
    expect([session.sent, session.news]).toEqual(['EHLO me.test|', ['ready']]);
  });

  test('with `required` it is not', () => {
    const session = new Session(required, {}, cut).says('220 mx.test\n').says('250 mx.test\n');
    expect(session.news).toEqual(['over 11 451 4.7.6 [internal] STARTTLS required but not advertised (failed)']);
    expect(session.sent).toBe('EHLO me.test|QUIT|');
  });

  test('nor when it knows no EHLO, or we say HELO by configuration', () => {
    const old = new Session(required, {}, cut).says('220 mx.test\n500 what\n250 mx.test\n');
    expect(old.news).toEqual(['over 11 451 4.7.6 [internal] STARTTLS required but not advertised (failed)']);
    const plain = new Session(required, { plainSmtp: true }, cut).says('220 mx.test\n250 mx.test\n');
    expect(plain.news).toEqual(['over 11 451 4.7.6 [internal] STARTTLS required but not advertised (failed)']);
  });

  test('LMTP knows STARTTLS too', () => {
    const session = new Session(required, { lmtp: true }, cut).says(HELLO).says('220 go\n250 mx.test\n'.slice(0, 7));
    session.says('250 mx.test\n');
    expect([session.sent, session.news]).toEqual(['LHLO me.test|STARTTLS|LHLO me.test|', ['secure', 'ready']]);
  });

  const refusals: readonly [string, ClientTls, string, string | undefined][] = [
    ['fallback, new connection', ifavailable, '454 not now\n', '(plain)'],
    ['fallback, same connection', { ...ifavailable, alwaysNewConnection: false }, '454 not now\n', undefined],
    ['fallback, same connection, 5xx', { ...ifavailable, alwaysNewConnection: false }, '502 what\n', undefined],
    ['fallback, but the peer leaves', { ...ifavailable, alwaysNewConnection: false }, '421 bye\n', '(plain)'],
    ['no fallback', { ...ifavailable, fallback: false }, '454 not now\n', '(failed)'],
    ['required', required, '454 not now\n', '(failed)'],
    ['required, new connection or not', { ...required, alwaysNewConnection: false }, '502 what\n', '(failed)'],
  ];
  test.each(refusals)('STARTTLS is refused, %s', (_name, tls, said, outcome) => {
    const session = new Session(tls, {}, cut).says(HELLO).says(said);
    expect(session.news).toEqual(
      outcome === undefined ? ['ready'] : [`over 16 451 4.7.5 [internal] no tls go-ahead ${outcome}`],
    );
  });

  const failures: readonly [string, ClientTls, string][] = [
    ['fallback', ifavailable, '(plain)'],
    ['fallback, same connection where that can be', { ...ifavailable, alwaysNewConnection: false }, '(plain)'],
    ['no fallback', { ...ifavailable, fallback: false }, '(failed)'],
    ['required', required, '(failed)'],
  ];
  test.each(failures)('the handshake fails, %s: over, without a word in clear', (_name, tls, outcome) => {
    const session = new Session(tls, {}, cut);
    session.handshake = undefined;
    session.says(HELLO).says('220 go\n');
    expect(session.machine.stage).toBe(17);
    session.closes();
    expect(session.news).toEqual(['secure', `over 17 451 4.7.5 [internal] TLS negotiation failed ${outcome}`]);
    expect(session.sent).toBe('EHLO me.test|STARTTLS|');
  });

  test.each(failures)('the handshake takes longer than ehlo_timeout, %s', (_name, tls, outcome) => {
    const session = new Session(tls, {}, cut);
    session.handshake = undefined;
    session.says(HELLO).says('220 go\n').later(29_999);
    expect(session.news).toEqual(['secure']);
    session.later(1);
    expect(session.news).toEqual([`over 17 451 4.7.5 [internal] TLS negotiation failed ${outcome}`]);
  });

  test.each(failures)('no answer to STARTTLS within ehlo_timeout, or a peer that goes, %s', (_name, tls, outcome) => {
    const silent = new Session(tls, {}, cut).says(HELLO).later(30_000);
    expect(silent.news).toEqual([`over 15 451 4.7.5 [internal] no tls go-ahead ${outcome}`]);
    const gone = new Session(tls, {}, cut).says(HELLO).closes();
    expect(gone.news).toEqual([`over 15 451 4.7.5 [internal] no tls go-ahead ${outcome}`]);
  });

  test('a peer that is not who it should be is left, whatever the fallback', () => {
    const session = new Session(ifavailable, {}, cut);
    session.handshake = 'untrusted';
    session.says(HELLO).says('220 go\n');
    expect(session.news).toEqual([
      'secure',
      'over 17 451 4.7.5 [internal] remote node SSL certificate not signed by a valid CA (failed)',
    ]);
    expect(session.sent).toBe('EHLO me.test|STARTTLS|QUIT|');
  });

  test.each(failures)('words in clear behind the go-ahead are an attack, %s', (_name, tls, outcome) => {
    const session = new Session(tls, {}, cut);
    session.handshake = undefined;
    session.says(HELLO).says('220 go\n250 injected\n');
    expect(session.news.at(-1)).toBe(`over 17 451 4.7.5 [internal] TLS negotiation failed ${outcome}`);
    expect(session.sent).toBe('EHLO me.test|STARTTLS|');
  });
});

test('cut at random, a session with TLS is the same', () => {
  const whole = new Session(required).says(HELLO).says('220 go\n').says('250-mx.test\n250 PIPELINING\n');
  const expected = [whole.sent, whole.news];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lengths) => {
      const session = new Session(required, {}, (text) => {
        const pieces: string[] = [];
        for (let at = 0, n = 0; at < text.length; n++) {
          const length = lengths[n % lengths.length] ?? 1;
          pieces.push(text.slice(at, at + length));
          at += length;
        }
        return pieces;
      });
      session.says(HELLO).says('220 go\n').says('250-mx.test\n250 PIPELINING\n');
      expect([session.sent, session.news]).toEqual(expected);
    }),
  );
});
