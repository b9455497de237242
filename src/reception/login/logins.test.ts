import { expect, test } from 'vitest';
import { MailIn, type Peer, type Values } from '../../../test/dialogues/mail-in.ts';
import { turnEnd } from '../../world/sim/turn.ts';

const USERS = new Map([['/users', 'ann:secret\n']]);
const PARAMETERS = { uri: 'file:///users', log_authentication: 'true' };
const VALUES: Values = {
  smtp_extensions: ['ENHANCEDSTATUSCODES', 'AUTH PLAIN', 'AUTH DIGEST-MD5'],
  authplainparameters: PARAMETERS,
  authdigestmd5parameters: { uri: 'file:///users', stored_cleartext: 'true' },
  rfc2822_missing_headers: 'allow',
};
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const plain = (user: string, password: string): string => `AUTH PLAIN ${base64(`\0${user}\0${password}`)}\r\n`;
const GRANTED = '235 2.7.0 Authentication successful\r\n';
const DENIED = '535 5.7.8 Authentication credentials invalid\r\n';

async function asks(peer: Peer, text: string): Promise<string> {
  const said = peer.sends(text);
  await turnEnd();
  return said + peer.hears();
}

const begun = (house: MailIn, ip = '192.0.2.7'): Peer => {
  const peer = house.greeted({ ip, port: 40_000 });
  peer.hears();
  return peer;
};

test('a message of somebody who has logged in says so, and not who it is', async () => {
  const house = new MailIn(VALUES, USERS);
  const peer = begun(house);
  expect(await asks(peer, plain('ann', 'secret'))).toBe(GRANTED);
  peer.sends('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
  peer.sends('Subject: x\r\n\r\nhi\r\n.\r\n');
  const [kept] = house.spool.kept;
  expect(kept?.body).toContain('Authentication-Results: mx.test;\r\n\tauth=pass (plain) smtp.auth=xxxx\r\n');
  expect(kept?.body).toContain(' with ESMTPA id ');
  expect(kept?.body).not.toContain('ann');
  expect(kept?.envelope.context.connection).toMatchObject({
    auth_name: 'PLAIN',
    auth_user: 'ann',
    auth_status: 'pass',
    can_relay: 'true',
  });
});

test('log_authentication writes logins to the acctlog, right and wrong ones', async () => {
  const house = new MailIn(VALUES, USERS);
  const peer = begun(house);
  await asks(peer, plain('ann', 'wrong'));
  await asks(peer, plain('ann', 'secret'));
  const lines = house.recorded.flatMap((event) =>
    event.kind === 'accounting' ? [`${event.type} ${event.listener} ${event.peer} ${event.user} ${event.result}`] : [],
  );
  expect(lines).toEqual(['N 127.0.0.1:25 192.0.2.7:40000 ann 0', 'N 127.0.0.1:25 192.0.2.7:40000 ann 1']);
  expect(house.rejections.map(({ reply, phase }) => `${phase} ${reply.code}`)).toEqual(['awaiting mailfrom 535']);
});

test('a file that is missing is 454, is told in the paniclog, and is no failure of the client', async () => {
  const house = new MailIn(VALUES);
  const peer = begun(house);
  for (let times = 0; times < 5; times++)
    expect(await asks(peer, plain('ann', 'secret'))).toBe('454 4.7.0 Temporary authentication failure\r\n');
  expect(house.complaints.join('\n')).toContain('file:///users');
  expect(peer.ended).toBe(false);
});

test('a mechanism without parameters is 454 and told in the paniclog', async () => {
  const house = new MailIn({ smtp_extensions: ['AUTH PLAIN'] }, USERS);
  expect(await asks(begun(house), plain('ann', 'secret'))).toBe('454 Temporary authentication failure\r\n');
  expect(house.complaints.join('\n')).toContain('no parameters say where its users are');
});

test('who guesses over many connections waits for each answer, the right one too', async () => {
  const house = new MailIn(VALUES, USERS);
  for (let times = 0; times < 3; times++) expect(await asks(begun(house), plain('ann', 'wrong'))).toBe(DENIED);
  const peer = begun(house);
  expect(await asks(peer, plain('ann', 'wrong'))).toBe('');
  house.clock.pass(1);
  expect(peer.hears()).toBe(DENIED);
  const other = begun(house, '198.51.100.9');
  expect(await asks(other, plain('ann', 'secret'))).toBe('');
  house.clock.pass(1);
  expect(other.hears()).toBe(GRANTED);
  expect(await asks(begun(house, '198.51.100.10'), plain('ann', 'secret'))).toBe(GRANTED);
});

test('a client that goes while its answer is held back leaves nothing behind', async () => {
  const house = new MailIn(VALUES, USERS);
  for (let times = 0; times < 3; times++) await asks(begun(house), plain('ann', 'wrong'));
  const peer = begun(house);
  await asks(peer, plain('ann', 'wrong'));
  peer.hangsUp();
  house.clock.pass(60);
  expect(peer.hears()).toBe('');
});

test('DIGEST-MD5: the realm is the host name, and the proof of the server comes before the 235', async () => {
  const { digestClient } = await import('../../auth/index.ts');
  const house = new MailIn(VALUES, USERS);
  const peer = begun(house);
  const client = digestClient('ann', 'secret', 'smtp/mx.test', 'cnonce');
  const offer = await asks(peer, 'AUTH DIGEST-MD5\r\n');
  const challenge = Buffer.from(offer.slice(4).trim(), 'base64');
  expect(challenge.toString()).toContain('realm="mx.test"');
  const step = client.challenge(challenge);
  if (step.kind !== 'response' || step.bytes === undefined) throw new Error(step.kind);
  const proof = await asks(peer, `${Buffer.from(step.bytes).toString('base64')}\r\n`);
  expect(proof.slice(0, 4)).toBe('334 ');
  expect(client.granted(Buffer.from(proof.slice(4).trim(), 'base64'))).toBe(true);
  expect(await asks(peer, '\r\n')).toBe(GRANTED);
});

test('after STARTTLS a login in clear is forgotten, and with it the right to relay', async () => {
  const house = new MailIn({ ...VALUES, smtp_extensions: ['AUTH PLAIN', 'STARTTLS'] }, USERS);
  house.context = { validity: undefined } as never;
  const peer = begun(house);
  await asks(peer, plain('ann', 'secret'));
  peer.sends('STARTTLS\r\n');
  peer.shakes();
  expect(peer.sends('EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nRSET\r\n')).toContain(
    '550 relaying denied',
  );
  expect(await asks(peer, plain('ann', 'secret'))).toBe('235 Authentication successful\r\n');
});

test('the eleventh login that is begun in a session ends it', async () => {
  const house = new MailIn(VALUES, USERS);
  const peer = begun(house);
  for (let times = 0; times < 10; times++) await asks(peer, 'AUTH PLAIN\r\n*\r\n');
  expect(await asks(peer, 'AUTH PLAIN\r\n')).toBe('421 4.7.0 too many failed logins\r\n');
  expect(peer.ended).toBe(true);
});
