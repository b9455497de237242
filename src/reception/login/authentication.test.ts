import { expect, test } from 'vitest';
import { MailIn, type Values } from '../../../test/dialogues/mail-in.ts';

const MAIL = 'MAIL FROM:<a@example.com>\r\n';
const REFUSED = '530 5.7.0 Authentication required\r\n';
const ACCEPTED = '250 2.1.0 MAIL FROM accepted\r\n';
const EXTENSIONS = { smtp_extensions: ['ENHANCEDSTATUSCODES'] };

test.each<[string, Values, string]>([
  ['nothing is said about it', {}, ACCEPTED],
  ['Enable_Authentication', { enable_authentication: 'true' }, REFUSED],
  ['Always_Deny alone: nobody is asked', { always_deny: 'true' }, ACCEPTED],
  ['Always_Allow makes up for it', { enable_authentication: 'true', always_allow: 'true' }, ACCEPTED],
  ['Always_Deny wins', { enable_authentication: 'true', always_allow: 'true', always_deny: 'true' }, REFUSED],
  ['a relay host needs none', { enable_authentication: 'true', relay_hosts: ['192.0.2.0/24'] }, ACCEPTED],
  ['nor anybody under Open_Relay', { enable_authentication: 'true', open_relay: 'true' }, ACCEPTED],
])('MAIL: %s', (_, values, said) => {
  const house = new MailIn({ ...EXTENSIONS, ...values });
  const peer = house.greeted();
  peer.hears();
  expect(peer.sends(MAIL)).toBe(said);
  expect(house.rejections.map(({ phase, reply }) => `${phase} ${reply.code}`)).toEqual(
    said === REFUSED ? ['awaiting mailfrom 530'] : [],
  );
  // The session goes on.
  expect(peer.sends('NOOP\r\n')).toBe('250 2.0.0 OK\r\n');
});

test('Always_Allow alone does not let a client relay', () => {
  const house = new MailIn({ ...EXTENSIONS, enable_authentication: 'true', always_allow: 'true' });
  const peer = house.greeted();
  peer.hears();
  expect(peer.sends(`${MAIL}RCPT TO:<b@example.org>\r\n`)).toBe(`${ACCEPTED}550 5.7.1 relaying denied\r\n`);
});
