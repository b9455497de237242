import { describe, expect, test } from 'vitest';
import { MailIn, OPEN, type Peer, type Values, viewOf } from '../../../test/dialogues/mail-in.ts';
import type { Option } from '../../config/index.ts';
import type { Hook, Phases } from '../../policy/index.ts';
import { reply } from '../../smtp/index.ts';
import type { ModuleHost } from '../module.ts';
import { conntrol } from './conntrol.ts';
import { banner, disconnectRatware } from './options.ts';

const WELCOME = '220-Welcome!\r\n';
const RATWARE = '421 4.7.0 my.host.name service denied to those who send before the banner\r\n';
const GREETING = /^220 mx\.test ESMTP impetus 1\.0\.0 /;

/** A reception with the module in it. */
function house(stanza: Values, values: Values = OPEN): MailIn {
  const at = new MailIn(values);
  const hook = <P extends keyof Phases>(phase: P, run: Hook<P>): Disposable => at.policy.hook(phase, 'conntrol', run);
  conntrol.start({ hook } as unknown as ModuleHost, viewOf(stanza, 1));
  return at;
}

/** Promises of hooks are settled after a few turns. */
async function settle(at: MailIn): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
    at.clock.turn();
  }
}

async function later(at: MailIn, seconds: number): Promise<void> {
  at.clock.pass(seconds);
  await settle(at);
}

const contextOf = (at: MailIn, peer: Peer): Readonly<Record<string, string>> => {
  peer.sends('RCPT TO:<x@y.z>\r\n');
  return at.rejections.at(-1)?.connectionContext ?? {};
};

describe('the greeting', () => {
  test('begins with the banner of the module at once, and ends after the pause', async () => {
    const at = house({ banner: '220-Welcome!\\r\\n'.replace('\\r\\n', '\r\n'), pause_time: '2' });
    const peer = at.connect();
    expect(peer.hears()).toBe(WELCOME);
    await later(at, 1.9);
    expect(peer.hears()).toBe('');
    await later(at, 0.1);
    expect(peer.hears()).toMatch(GREETING);
    expect(contextOf(at, peer)).not.toHaveProperty('early_talker');
  });

  test('comes without a pause when there is none', async () => {
    const at = house({});
    const peer = at.connect();
    await settle(at);
    expect(peer.hears()).toMatch(GREETING);
  });

  test('is waited for as long as Idle_Time is not counted: the client has nothing to say', async () => {
    const at = house({ pause_time: '20' }, { ...OPEN, idle_time: '5' });
    const peer = at.connect();
    await later(at, 20);
    expect(peer.hears()).toMatch(GREETING);
    expect(peer.ended).toBe(false);
  });
});

describe('an early talker', () => {
  test('has early_talker = yes when validate_connect is asked, waits all the same, and is answered', async () => {
    const at = house({ pause_time: '2' });
    const seen: (string | undefined)[] = [];
    at.policy.hook('validate_connect', 'script', ({ connectionContext }) => {
      seen.push(connectionContext.early_talker);
      return { kind: 'continue' };
    });
    const peer = at.connect();
    await later(at, 1);
    peer.sends('EHLO a.test\r\n');
    await settle(at);
    expect([peer.hears(), seen]).toEqual(['', []]);
    await later(at, 1);
    expect(peer.hears()).toMatch(/^220 mx\.test [^\r]*\r\n250-mx\.test says EHLO to 192\.0\.2\.7\r\n/);
    expect(seen).toEqual(['yes']);
  });

  test('hears disconnect_ratware at once, word for word, and is cut off', async () => {
    const at = house({ banner: WELCOME, pause_time: '2', disconnect_ratware: RATWARE }, { open_relay: 'true' });
    at.policy.hook('validate_connect', 'script', () => {
      throw new Error('policy is passed by');
    });
    const peer = at.connect();
    await later(at, 0.5);
    peer.sends('E');
    await settle(at);
    expect(peer.hears()).toBe(`${RATWARE}`);
    expect(peer.writes.join('')).toBe(WELCOME + RATWARE);
    expect(peer.ended).toBe(true);
    expect(at.complaints).toEqual([]);
    expect(at.rejections).toMatchObject([
      { phase: 'connect', module: 'conntrol', reply: { code: 421 }, connectionContext: { early_talker: 'yes' } },
    ]);
    expect(at.clock.pending).toBe(0);
  });

  test('that goes in the pause leaves nothing behind', async () => {
    const at = house({ pause_time: '2', disconnect_ratware: RATWARE });
    const peer = at.connect();
    peer.hangsUp();
    expect([at.clock.pending, at.slotsGivenBack]).toEqual([0, 1]);
    await settle(at);
    expect(peer.writes).toEqual([]);
  });

  test('is no early talker behind __bypass_conntrol', async () => {
    const at = house({ pause_time: '2' }, { ...OPEN, context: { __bypass_conntrol: 'true' } });
    const peer = at.connect();
    expect(peer.hears()).toMatch(GREETING);
  });
});

test('a server that stops does not leave who waits without a word', async () => {
  const at = house({ pause_time: '30' });
  const peer = at.connect();
  void at.reception.close(1000);
  await later(at, 1);
  expect(peer.hears()).toMatch(/^421 /);
  expect(peer.ended).toBe(true);
});

test('unknown commands, and commands with a mistake in them, are counted; misplaced and refused ones are not', async () => {
  const at = house({});
  const peer = at.connect();
  await settle(at);
  peer.sends('EHLO a.test\r\nFOO\r\nXCLIENT A=b\r\n');
  peer.sends('MAIL FROM:a@b\r\nMAIL FROM:<a@b> SIZE=x\r\nEHLO\r\n');
  peer.sends('DATA\r\nEXPN x\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@[1.2.3.4]>\r\nRSET\r\n');
  expect(contextOf(at, peer)).toMatchObject({
    conntrol_bad_commands: '3',
    conntrol_unrecognized_commands: '2',
  });
});

describe('options', () => {
  const read = <T>(option: Option<T>, text: string): T =>
    option.type.read({ kind: 'text', text, quoted: true, at: { file: 'x', line: 1, column: 1 } });

  test('banner: one or more lines with 220-', () => {
    expect(read(banner, '220-a\r\n220-b\n')).toEqual(['220-a', '220-b']);
    for (const text of ['220 a', '220-a\n220 b', 'a', '', '221-a', '220-\u00e4', `220-${'x'.repeat(507)}`])
      expect(() => read(banner, text)).toThrow(/220-/);
  });

  test('disconnect_ratware: a whole reply of 4xx or 5xx', () => {
    expect(read(disconnectRatware, RATWARE)).toEqual(reply(421, undefined, RATWARE.slice(4, -2)));
    expect(read(disconnectRatware, '554-no\n554 no')).toEqual(reply(554, undefined, 'no\nno'));
    for (const text of ['250 ok', '421-no', '421 no\n421 no', '421-no\n554 no', 'no', ''])
      expect(() => read(disconnectRatware, text)).toThrow(/from 400 to 599/);
  });
});
