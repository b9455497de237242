import { describe, expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { reply } from './reply.ts';
import { type SmtpServer, smtpServer } from './server.ts';
import { type ServerSettings, type ServerWord, serverWord } from './server-events.ts';

const CHALLENGE = serverWord(reply(334, undefined, 'Zm9v'), 'challenge');
const GRANTED = serverWord(reply(235, '2.7.0', 'yes'), 'go on');
const DENIED = serverWord(reply(535, '5.7.8', 'no'), 'go on');
const OK = serverWord(reply(250, '2.0.0', 'OK'), 'go on');

/** A server whose driver says these words to AUTH and to each answer, one after the other. */
class Dialogue {
  readonly machine: SmtpServer;
  readonly heard: string[] = [];
  readonly #words: ServerWord[];

  constructor(words: readonly ServerWord[], settings: Partial<ServerSettings> = {}) {
    this.machine = smtpServer({ auth: true, ...settings });
    this.#words = [...words];
    this.#drain();
    this.machine.take();
  }

  sends(text: string): string {
    this.machine.receive(Buffer.from(text, 'latin1'), millis(0));
    this.#drain();
    return joined(this.machine.take()).toString('latin1');
  }

  #drain(): void {
    for (let event = this.machine.next(); event !== undefined; event = this.machine.next()) {
      let word = OK;
      if (event.kind === 'auth') {
        const given = event.initial === undefined ? '' : ` '${Buffer.from(event.initial).toString()}'`;
        this.heard.push(`${event.mechanism}${given}`);
        word = this.#words.shift() ?? OK;
      } else if (event.kind === 'auth-response') {
        this.heard.push(`'${Buffer.from(event.bytes).toString()}'`);
        word = this.#words.shift() ?? OK;
      } else if (event.kind === 'refused') this.heard.push(`${event.reply.code} during ${event.during}`);
      this.machine.say(event.turn, word, millis(0));
    }
  }
}

test('an initial response is decoded, = is an empty one, and without one there is none', () => {
  const peer = new Dialogue([DENIED, DENIED, DENIED]);
  peer.sends('AUTH plain AGE=\r\nAUTH PLAIN =\r\nAUTH PLAIN\r\n');
  expect(peer.heard).toEqual(["PLAIN '\0a'", "PLAIN ''", 'PLAIN']);
});

test('answers to challenges are decoded, an empty line too, until a word ends it', () => {
  const peer = new Dialogue([CHALLENGE, CHALLENGE, GRANTED]);
  expect(peer.sends('AUTH LOGIN\r\n')).toBe('334 Zm9v\r\n');
  expect(peer.machine.state).toBe('auth');
  expect(peer.sends('YQ==\r\n')).toBe('334 Zm9v\r\n');
  expect(peer.sends('\r\n')).toBe('235 2.7.0 yes\r\n');
  expect(peer.heard).toEqual(['LOGIN', "'a'", "''"]);
  expect(peer.machine.state).toBe('start');
  expect(peer.sends('AUTH LOGIN\r\n')).toBe('503 5.5.1 bad sequence of commands\r\n');
});

describe('an answer that is none ends the login, and the session goes on', () => {
  test.each([
    ['*', '501 5.7.0 authentication cancelled'],
    ['* ', '501 5.5.2 cannot decode base64'],
    ['YQ=', '501 5.5.2 cannot decode base64'],
    ['QUIT', '235 2.7.0 yes'],
    ['x'.repeat(12_287), '500 5.5.2 line too long'],
    ['YWFh'.repeat(3071), '235 2.7.0 yes'],
  ])('%.10s', (line, said) => {
    for (const cut of [1, 1000, 100_000]) {
      const peer = new Dialogue([CHALLENGE, GRANTED]);
      peer.sends('AUTH LOGIN\r\n');
      let answer = '';
      const text = `${line}\r\nNOOP\r\n`;
      for (let at = 0; at < text.length; at += cut) answer += peer.sends(text.slice(at, at + cut));
      expect(answer).toBe(`${said}\r\n250 2.0.0 OK\r\n`);
      if (said.startsWith('5')) expect(peer.heard.at(-1)).toBe(`${said.slice(0, 3)} during auth`);
    }
  });
});

test('after a failure another login is begun, after a success none is, not by another EHLO either', () => {
  const peer = new Dialogue([DENIED, GRANTED, GRANTED]);
  expect(peer.sends('AUTH PLAIN AA==\r\nAUTH PLAIN AA==\r\n')).toBe('535 5.7.8 no\r\n235 2.7.0 yes\r\n');
  expect(peer.sends('EHLO x\r\nAUTH PLAIN AA==\r\n')).toContain('503 5.5.1');
});

test('without it the command is not implemented, before EHLO is wanted it comes too early', () => {
  expect(new Dialogue([], { auth: false }).sends('AUTH PLAIN\r\n')).toBe('502 5.5.1 command not implemented\r\n');
  expect(new Dialogue([], { requireEhlo: true }).sends('AUTH PLAIN\r\n')).toContain('550 5.5.1');
});

test('AUTH= at MAIL is taken where AUTH is offered', () => {
  const offers = { smtpUtf8: false, dsn: false, chunking: false, binaryMime: false, auth: true };
  const mail = (value: string): string => new Dialogue([], { offers }).sends(`MAIL FROM:<a@b>${value}\r\n`).slice(0, 9);
  expect([mail(' AUTH=<>'), mail(' AUTH=e+3Dmc2@example.com')]).toEqual(['250 2.0.0', '250 2.0.0']);
  expect([mail(' AUTH'), mail(' AUTH=a+ZZ')]).toEqual(['501 5.5.4', '501 5.5.4']);
  expect(new Dialogue([]).sends('MAIL FROM:<a@b> AUTH=<>\r\n')).toContain('555 5.5.4');
});
