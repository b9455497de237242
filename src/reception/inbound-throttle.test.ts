import { describe, expect, test } from 'vitest';
import { MailIn, OPEN, type Peer } from '../../test/dialogues/mail-in.ts';

const MAIL = 'MAIL FROM:<a@example.com>\r\n';
const ACCEPTED = '250 2.1.0 MAIL FROM accepted\r\n';
const LATER = '451 4.7.1 too many messages at present, try again later\r\n';

const house = (throttle: string, idle = '20'): MailIn =>
  new MailIn({ ...OPEN, allow_ip_literal: 'false', inbound_throttle_messages: throttle, idle_time: idle });

/** Clients that have said MAIL, in this order. */
const clients = (at: MailIn, count: number): readonly Peer[] =>
  Array.from({ length: count }, () => {
    const peer = at.greeted();
    peer.host?.data(Buffer.from(MAIL));
    return peer;
  });

/** What each has heard of its MAIL since the last time: y(es), n(o), - nothing. */
const heard = (peers: readonly Peer[]): string =>
  peers
    .map(
      (peer) =>
        ({ [ACCEPTED]: 'y', [LATER]: 'n', '': '-' })[peer.hears().replace(/^250-[\s\S]*?250 [^\r]*\r\n/, '')] ?? '?',
    )
    .join('');

describe('Inbound_Throttle_Messages', () => {
  test('holds the reply to MAIL back until there is room, first come first served', () => {
    const at = house('2/8');
    const peers = clients(at, 5);
    expect(heard(peers)).toBe('yy---');
    at.clock.pass(8.3);
    expect(heard(peers)).toBe('--yy-');
    at.clock.pass(1);
    expect(heard(peers)).toBe('-----');
    at.clock.pass(8);
    expect(heard(peers)).toMatch(/^----[yn]$/);
  });

  test('N alone is N in a second', () => {
    const at = house('3');
    const peers = clients(at, 6);
    expect(heard(peers)).toBe('yyy---');
    at.clock.pass(1.1);
    expect(heard(peers)).toBe('---yyy');
  });

  test('gives up after half of Idle_Time with 451 4.7.1; the session goes on and may try again', () => {
    const at = house('1/3600', '20');
    const peers = clients(at, 2);
    at.clock.pass(9.9);
    expect(heard(peers)).toBe('y-');
    at.clock.pass(0.1);
    expect(heard(peers)).toBe('-n');
    expect(at.rejections).toMatchObject([{ phase: 'awaiting mailfrom', reply: { code: 451, enhanced: '4.7.1' } }]);
    expect(peers[1]?.sends('NOOP\r\n')).toBe('250 2.0.0 OK\r\n');
    expect(peers[1]?.sends('RCPT TO:<b@c.d>\r\n')).toBe('503 5.5.1 RCPT TO without MAIL FROM\r\n');
    peers[1]?.host?.data(Buffer.from(MAIL));
    at.clock.pass(10);
    expect(peers[1]?.hears()).toBe(LATER);
  });

  test('without an Idle_Time the wait ends after 150 seconds', () => {
    const at = house('1/3600', '0');
    const peers = clients(at, 2);
    at.clock.pass(149);
    expect(heard(peers)).toBe('y-');
    at.clock.pass(1);
    expect(heard(peers)).toBe('-n');
  });

  test('a client that goes while it waits takes nothing from those behind it, and leaves no timer', () => {
    const at = house('1/8', '100');
    const peers = clients(at, 3);
    expect(heard(peers)).toBe('y--');
    peers[1]?.hangsUp();
    at.clock.pass(8.3);
    expect(heard(peers)).toBe('--y');
    for (const peer of peers) peer.hangsUp();
    expect(at.clock.pending).toBe(0);
  });

  test('a refused sender costs nothing, and commands behind a MAIL that waits are answered in order', () => {
    const at = house('1/8', '100');
    const [first] = clients(at, 1);
    expect(first && heard([first])).toBe('y');
    const peer = at.greeted();
    peer.hears();
    expect(peer.sends('MAIL FROM:<a@[1.2.3.4]>\r\n')).toBe('554 5.1.2 No Valid Domain\r\n');
    expect(peer.sends(`${MAIL}RCPT TO:<b@c.d>\r\nNOOP\r\n`)).toBe('');
    at.clock.pass(8.3);
    expect(peer.hears()).toBe(`${ACCEPTED}250 2.1.5 RCPT TO accepted.\r\n250 2.0.0 OK\r\n`);
  });

  test('another count holds from the next MAIL on, and what was taken stays taken', () => {
    const at = house('1/8', '100');
    const [first] = clients(at, 1);
    expect(first && heard([first])).toBe('y');
    at.commit({ ...OPEN, allow_ip_literal: 'false', inbound_throttle_messages: '2/8', idle_time: '100' });
    expect(heard(clients(at, 2))).toBe('y-');
  });

  test('0 is no limit', () => {
    expect(heard(clients(house('0'), 50))).toBe('y'.repeat(50));
  });
});
