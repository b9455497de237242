import { expect, test } from 'vitest';
import { MailRoom } from '../../test/support/mail-room.ts';
import type { Script } from '../../test/support/scripted-peer.ts';

const LOGIN = {
  outbound_smtp_auth_user: 'ann',
  outbound_smtp_auth_pass: 'secret',
  outbound_smtp_auth_insecure: true,
};
const OFFERS = ['peer.test', 'PIPELINING', 'AUTH PLAIN LOGIN XOAUTH2'];
const decoded = (line: string): string => Buffer.from(line, 'base64').toString();

/** @returns what the peer heard of a login, what it took, and what happened to the mail */
async function sends(values: Record<string, unknown>, script: Script, seconds = 1) {
  const room = new MailRoom({ global: values });
  const lines: string[] = [];
  const peer = await room.peer('dst.test', '10.0.0.1', {
    ehlo: OFFERS,
    ...script,
    auth: (line) => {
      lines.push(line);
      return script.auth?.(line) ?? '235 2.7.0 in';
    },
  });
  room.receive('b@dst.test');
  room.receive('c@dst.test');
  await room.later(seconds);
  return { lines, taken: peer.taken.length, sessions: peer.sessions, happened: room.happened(), balance: room.balance };
}

test('PLAIN goes with the command, once for all mail of a session', async () => {
  const { lines, taken } = await sends({ ...LOGIN, outbound_smtp_auth_type: 'PLAIN' }, {});
  expect(taken).toBe(2);
  const [first = ''] = lines;
  expect(new Set(lines)).toEqual(new Set([first]));
  expect(first.slice(0, 11)).toBe('AUTH PLAIN ');
  expect(decoded(first.slice(11))).toBe('\0ann\0secret');
});

test('LOGIN answers two questions', async () => {
  const { lines, taken } = await sends(
    { ...LOGIN, outbound_smtp_auth_type: 'LOGIN', max_outbound_connections: 1 },
    { auth: (line) => (line === Buffer.from('secret').toString('base64') ? '235 in' : '334 Pw==') },
  );
  expect(taken).toBe(2);
  expect(lines.slice(0, 3).map((line, index) => (index === 0 ? line : decoded(line)))).toEqual([
    'AUTH LOGIN',
    'ann',
    'secret',
  ]);
});

test('XOAUTH2 sends the token; the challenge that says why not is answered with an empty line', async () => {
  const { lines, taken, happened } = await sends(
    { ...LOGIN, outbound_smtp_auth_type: 'XOAUTH2' },
    { auth: (line) => (line === '' ? '535 5.7.8 expired' : '334 eyJzdGF0dXMiOiI0MDAifQ==') },
  );
  expect(decoded(lines[0]?.slice(13) ?? '')).toBe('user=ann\x01auth=Bearer secret\x01\x01');
  expect(lines[1]).toBe('');
  expect(taken).toBe(0);
  expect(happened[0]).toContain('[internal] AUTH failed: 535 5.7.8 expired');
});

test.each<[string, Record<string, unknown>, Script, string]>([
  ['a refusal', LOGIN, { auth: () => '535 5.7.8 no' }, '451 4.7.0 [internal] AUTH failed: 535 5.7.8 no'],
  [
    'a question too many',
    LOGIN,
    { auth: (line) => (line === '*' ? '501 5.7.0 off' : '334 Pw==') },
    '451 4.7.0 [internal] AUTH failed: 501 5.7.0 off',
  ],
  ['a peer that asks without end', LOGIN, { auth: () => '334 Pw==' }, '451 4.7.0 [internal] AUTH failed: 334 Pw=='],
  ['no AUTH', LOGIN, { ehlo: ['peer.test'] }, '451 4.7.6 [internal] AUTH required but not advertised'],
  [
    'another AUTH',
    LOGIN,
    { ehlo: ['peer.test', 'AUTH CRAM-MD5'] },
    '451 4.7.6 [internal] AUTH required but not advertised',
  ],
  [
    'no TLS',
    { ...LOGIN, outbound_smtp_auth_insecure: false },
    {},
    '451 4.7.5 [internal] AUTH required but connection not encrypted',
  ],
  [
    'no password',
    { outbound_smtp_auth_user: 'ann' },
    {},
    '451 4.7.0 [internal] AUTH required but user or password missing',
  ],
])('%s: the mail waits, and nothing of it is sent', async (_, values, script, text) => {
  const { taken, happened, balance } = await sends({ ...values, outbound_smtp_auth_type: 'PLAIN' }, script);
  expect(taken).toBe(0);
  expect(happened[0]).toMatch(/^transient \S+ 11 /);
  expect(happened[0]).toContain(text);
  expect(balance).toBe(0);
});
