import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { reply } from './reply.ts';
import { type SmtpServer, smtpServer } from './server.ts';
import { type ServerEvent, type ServerSettings, type ServerWord, serverWord } from './server-events.ts';

/** A server whose driver has a certificate. */
class Conversation {
  readonly machine: SmtpServer;
  readonly heard: string[] = [];
  now = 0;
  out = '';

  constructor(settings: Partial<ServerSettings> = {}) {
    this.machine = smtpServer({ startTls: true, ...settings });
    this.drain();
    this.out = '';
  }

  drain(): void {
    for (let event = this.machine.next(); event !== undefined; event = this.machine.next()) {
      this.heard.push(
        event.kind === 'gone'
          ? `gone: ${event.why}`
          : event.kind === 'refused'
            ? `refused ${event.reply.code} during ${event.during}`
            : event.kind,
      );
      const word = answer(event);
      if (word !== undefined) this.machine.say(event.turn, word, millis(this.now));
    }
    this.out += joined(this.machine.take()).toString('latin1').replaceAll('\r\n', '|');
  }

  sends(text: string): string {
    this.out = '';
    this.machine.receive(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'), millis(this.now));
    this.drain();
    return this.out;
  }

  shakes(): void {
    this.machine.secured(millis(this.now));
    this.drain();
  }
}

function answer(event: ServerEvent): ServerWord | undefined {
  switch (event.kind) {
    case 'refused':
    case 'gone':
    case 'body':
      return undefined;
    case 'starttls':
      return serverWord(reply(220, '2.0.0', 'ready to start TLS'), 'start TLS');
    default:
      return serverWord(reply(250, '2.0.0', event.kind), 'go on');
  }
}

describe('STARTTLS', () => {
  test('leads to the handshake, and everything begins anew behind it', () => {
    const peer = new Conversation({ requireEhlo: true });
    peer.sends('EHLO a.test\n');
    expect(peer.sends('STARTTLS\n')).toBe('220 2.0.0 ready to start TLS|');
    expect([peer.machine.state, peer.machine.encrypted]).toEqual(['tls', false]);
    peer.shakes();
    expect([peer.machine.state, peer.machine.encrypted]).toEqual(['start', true]);
    expect(peer.sends('MAIL FROM:<a@b.c>\n')).toBe('550 5.5.1 RFC2821 HELO/EHLO needed|');
    expect(peer.sends('EHLO a.test\nMAIL FROM:<a@b.c>\n')).toBe('250 2.0.0 ehlo|250 2.0.0 mail|');
  });

  test.each<[string, string, string]>([
    ['with an argument', 'STARTTLS now\n', '501 5.5.4 Syntax error (no parameters allowed)|'],
    ['with a blank behind it', 'STARTTLS \n', '220 2.0.0 ready to start TLS|'],
    ['in small letters', 'starttls\n', '220 2.0.0 ready to start TLS|'],
    ['in a transaction', 'MAIL FROM:<a@b.c>\nSTARTTLS\n', '250 2.0.0 mail|503 5.5.1 bad sequence of commands|'],
    [
      'with recipients',
      'MAIL FROM:<a@b.c>\nRCPT TO:<d@e.f>\nSTARTTLS\n',
      '250 2.0.0 mail|250 2.0.0 rcpt|503 5.5.1 bad sequence of commands|',
    ],
  ])('%s', (_, said, answered) => {
    const peer = new Conversation();
    peer.sends('EHLO a.test\n');
    expect(peer.sends(said)).toBe(answered);
  });

  test('is not implemented where it is not wanted, whatever the state', () => {
    const peer = new Conversation({ startTls: false });
    expect(peer.sends('STARTTLS\nMAIL FROM:<a@b.c>\nSTARTTLS\n')).toBe(
      '502 5.5.1 command not implemented|250 2.0.0 mail|502 5.5.1 command not implemented|',
    );
  });

  test('a second time is out of place, as it is where TLS came before the first byte', () => {
    const peer = new Conversation();
    peer.sends('EHLO a.test\nSTARTTLS\n');
    peer.shakes();
    expect(peer.sends('EHLO a.test\nSTARTTLS\n')).toBe('250 2.0.0 ehlo|503 5.5.1 bad sequence of commands|');
    const implicit = smtpServer();
    implicit.secured(millis(0));
    expect([implicit.state, implicit.encrypted]).toEqual(['connect', true]);
  });

  test('commands behind it in clear end the session', () => {
    const peer = new Conversation();
    peer.sends('EHLO a.test\n');
    expect(peer.sends('STARTTLS\nMAIL FROM:<evil@b.c>\n')).toBe(
      '421 4.7.0 protocol deviation: commands behind STARTTLS|',
    );
    expect(peer.heard.slice(-3)).toEqual(['starttls', 'refused 421 during ready', 'gone: protocol deviation']);
  });

  test('or are thrown away, as the operator wants it', () => {
    const peer = new Conversation({ startTlsInjection: 'ignore' });
    peer.sends('EHLO a.test\n');
    expect(peer.sends('STARTTLS\nMAIL FROM:<evil@b.c>\nRSET')).toBe('220 2.0.0 ready to start TLS|');
    peer.shakes();
    expect(peer.sends('\nEHLO a.test\n')).toBe('500 5.5.2 unrecognized command|250 2.0.0 ehlo|');
    expect(peer.heard).not.toContain('mail');
  });

  test('what comes between the 220 and the handshake is never read as a command', () => {
    const peer = new Conversation();
    peer.sends('EHLO a.test\nSTARTTLS\n');
    expect(peer.sends('RSET\n')).toBe('');
    peer.shakes();
    expect(peer.machine.buffered).toBe(0);
    expect(peer.sends('EHLO a.test\n')).toBe('250 2.0.0 ehlo|');
  });

  test('the handshake has a time of its own, and nothing is said when it is over', () => {
    const peer = new Conversation({ handshake: millis(5000) });
    peer.sends('EHLO a.test\nSTARTTLS\n');
    expect(peer.machine.deadline).toBe(5000);
    peer.out = '';
    peer.machine.expire(millis(5000));
    peer.drain();
    expect([peer.out, peer.heard.at(-1)]).toEqual(['', 'gone: handshake timeout']);
  });

  test('a server that stops says nothing in the middle of a handshake', () => {
    const peer = new Conversation();
    peer.sends('EHLO a.test\nSTARTTLS\n');
    peer.out = '';
    peer.machine.dismiss(reply(421, '4.3.2', 'bye'));
    peer.drain();
    expect([peer.out, peer.heard.at(-1)]).toEqual(['', 'gone: closed']);
  });

  test('a refusal leaves everything as it was', () => {
    const machine = smtpServer({ startTls: true });
    const hear = (): ServerEvent | undefined => machine.next();
    machine.say(hear()?.turn ?? 0, serverWord(reply(220, undefined, 'hi'), 'go on'), millis(0));
    machine.receive(Buffer.from('STARTTLS\r\nNOOP\r\n'), millis(0));
    machine.say(hear()?.turn ?? 0, serverWord(reply(454, '4.7.0', 'TLS not available'), 'go on'), millis(0));
    expect(hear()).toBeUndefined();
    expect([machine.state, machine.encrypted]).toEqual(['start', false]);
    expect(joined(machine.take()).toString()).toContain('454 4.7.0 TLS not available\r\n250 2.0.0 OK\r\n');
  });

  test('cut at random, the same dialogue has the same answers', () => {
    const before = 'EHLO a.test\nNOOP\nSTARTTLS\n';
    const after = 'EHLO a.test\nMAIL FROM:<a@b.c>\nSTARTTLS\nRSET\n';
    const play = (pieces: (text: string) => readonly string[]): string => {
      const peer = new Conversation();
      let said = '';
      for (const piece of pieces(before)) said += peer.sends(piece);
      peer.shakes();
      for (const piece of pieces(after)) said += peer.sends(piece);
      return said;
    };
    const whole = play((text) => [text]);
    expect(play((text) => [...text])).toBe(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }), (lengths) => {
        const cut = (text: string): readonly string[] => {
          const found: string[] = [];
          for (let at = 0, n = 0; at < text.length; n++) {
            const length = lengths[n % lengths.length] ?? 1;
            found.push(text.slice(at, at + length));
            at += length;
          }
          return found;
        };
        expect(play(cut)).toBe(whole);
      }),
    );
  });
});
