import { describe, expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import { bindingName, type Domain, type Endpoint, parseEndpoint } from '../../base/index.ts';
import {
  ConfigError,
  ConfigErrors,
  cidrs,
  configCommand,
  configSession,
  duration,
  type Generation,
  integer,
  option,
  optional,
  path,
  throttle,
  type View,
} from '../index.ts';

const sessions = option('listener_sessions', integer);
const idleTime = option('idle_time', duration);
const relayHosts = option('relay_hosts', optional(cidrs));
const expiration = option('message_expiration', duration);
const connections = option('max_outbound_connections', integer);
const rate = option('outbound_throttle_messages', throttle);
const spoolbase = option('spoolbase', path, { initial: '/var/spool/impetus' });
const declared = [sessions, idleTime, relayHosts, expiration, connections, rate, spoolbase];

const smtp = parseEndpoint(':25') as Endpoint;
const receiving = (generation: Generation, client = '192.0.2.1'): View =>
  generation.receiving('esmtp_listener', smtp, client);
const sending = (generation: Generation, domain = 'a.test'): View =>
  generation.sending('default', bindingName('default'), domain as Domain);

const BASE =
  'ESMTP_Listener { Listener_Sessions = 5 Listen ":25" { Peer "192.0.2.0/24" { Idle_Time = 5m } } }\nDomain "b.test" { Message_Expiration = 9 }\n';

async function reloaded(
  before: string,
  after: string,
): Promise<{ readonly last: Generation; readonly next: Generation }> {
  const { configuration, disk } = await configured(before, declared);
  const last = configuration.current;
  await disk.replace(MAIN, Buffer.from(after));
  return { last, next: await configuration.reload() };
}

describe('sessions are left alone by a reload that changes nothing they can see', () => {
  test.each<[string, string, boolean]>([
    ['the same text', BASE, true],
    [
      'other spelling of the same values',
      BASE.replace('5m', '300').replace('Listener_Sessions = 5', 'listener_sessions "5"'.replace(' ', ' = ')),
      true,
    ],
    ['another value that is seen', BASE.replace('5m', '6m'), false],
    ['a value that a nearer one hides', `${BASE} Pathway "default" { Idle_Time = 7 }`, true],
    ['a new global value of a receiving option', `${BASE} Relay_Hosts = ( 10.0.0.1 )`, false],
    ['a stanza for a domain', `${BASE} Domain "c.test" { Message_Expiration = 3 }`, true],
    ['a block that does not hold the client', BASE.replace('Peer', 'Peer "10.0.0.0/8" { Idle_Time = 1 } Peer'), true],
    ['a block that holds the client', BASE.replace('Peer', 'Peer "192.0.2.1" { Idle_Time = 1 } Peer'), false],
    [
      'a wider block with a value that is hidden',
      BASE.replace('Peer', 'Peer "0.0.0.0/0" { Idle_Time = 5m } Peer'),
      true,
    ],
    ['the listener gone', 'Message_Expiration = 5', false],
    ['another listener', `${BASE} Control_Listener { Timeout = 5 Listen "/run/x" { } }`, true],
  ])('%s', async (_, after, same) => {
    const { last, next } = await reloaded(BASE, after);
    expect(receiving(last).sameIn(next)).toBe(same);
    expect(receiving(last).sameIn(last)).toBe(true);
  });

  test('a client in whose place another one is asked is not forgotten', async () => {
    const { last, next } = await reloaded(BASE, BASE.replace('Peer', 'Peer "192.0.2.128/25" { Idle_Time = 1 } Peer'));
    // Both share the view; only the second is in the new block.
    expect(receiving(last, '192.0.2.1')).toBe(receiving(last, '192.0.2.200'));
    expect(receiving(last, '192.0.2.200').sameIn(next)).toBe(false);
  });

  test('a pathway that moves to another group is seen by its sessions', async () => {
    const of = (one: string, other: string): string =>
      `Pathway_Group "g" { Idle_Time = 1 ${one} } Pathway_Group "h" { Idle_Time = 2 ${other} }\n`;
    const { last, next } = await reloaded(
      of('Pathway "x" { } Pathway "y" { }', ''),
      of('Pathway "y" { }', 'Pathway "x" { }'),
    );
    const view = last.receiving('esmtp_listener', smtp, '::1', 'y');
    expect(last.receiving('esmtp_listener', smtp, '::1', 'x')).toBe(view);
    expect(view.sameIn(next)).toBe(false);
  });

  test('sending views tell a new stanza for their domain from one for another', async () => {
    const { last, next } = await reloaded(BASE, `${BASE} Domain "/^c/" { Message_Expiration = 3 }`);
    expect(sending(last, 'b.test').sameIn(next)).toBe(true);
    expect(sending(last, 'c.test').sameIn(next)).toBe(false);
    expect(last.global.sameIn(next)).toBe(true);
  });
});

describe('generations', () => {
  test('a change is seen at the next read, also by names that a regex was matched with before', async () => {
    const { configuration, disk } = await configured('Domain "/^a/" { Message_Expiration = 3 }', declared);
    const last = configuration.current;
    expect(sending(last, 'a.test').get(expiration)).toBe(3);
    await configCommand(configuration, configSession(), 'set domain "/^a/" message_expiration 4');
    expect(sending(configuration.current, 'a.test').get(expiration)).toBe(4);
    await disk.replace(MAIN, Buffer.from('Domain "/^b/" { Message_Expiration = 5 }'));
    await configuration.reload();
    expect(sending(configuration.current, 'a.test').get(expiration)).toBe(86400);
    expect(sending(configuration.current, 'b.test').get(expiration)).toBe(5);
    // Who holds the old one goes on with it.
    expect(sending(last, 'a.test').get(expiration)).toBe(3);
  });

  test('have numbers, dates, and a hash that is equal for equal configurations', async () => {
    const { last, next } = await reloaded(BASE, `# a comment\n${BASE}`);
    expect([last.number, next.number]).toEqual([1, 2]);
    expect(next.hash).toBe(last.hash);
    expect(last.hash).toMatch(/^[0-9a-f]{64}$/);
    const other = await reloaded(BASE, BASE.replace('9', '8'));
    expect(other.next.hash).not.toBe(other.last.hash);
  });

  test('owners keep their key, so a throttle survives a commit', async () => {
    const { configuration } = await configured(
      'Outbound_Throttle_Messages = 5 Domain "/x/" { Outbound_Throttle_Messages = "6/2" }',
      declared,
    );
    const before = sending(configuration.current, 'x.test').owner(rate);
    await configCommand(configuration, configSession(), 'set Message_Expiration 77');
    const after = sending(configuration.current, 'x.test').owner(rate);
    expect(after.key).toBe('domain:/x/');
    expect(after.key).toBe(before.key);
    expect(sending(configuration.current, 'y.test').owner(rate).key).toBe('global');
  });

  test('a reload that fails leaves the live one', async () => {
    const { configuration, disk } = await configured(BASE, declared);
    const last = configuration.current;
    await disk.replace(MAIN, Buffer.from('No_Such = 1'));
    await expect(configuration.reload()).rejects.toBeInstanceOf(ConfigErrors);
    expect(configuration.current).toBe(last);
  });

  test('a check may veto, and those behind it are told after the swap', async () => {
    const { configuration } = await configured(BASE, declared);
    const heard: string[] = [];
    const check = configuration.beforeCommit(async (next, current) => {
      await Promise.resolve();
      heard.push(`check ${current.number} → ${next.number}`);
      if (next.global.get(expiration) === 13) throw new ConfigError('thirteen is unlucky');
    });
    using _hear = configuration.onCommit((next, last) =>
      heard.push(`commit ${last.number} → ${next.number}, live ${configuration.current.number}`),
    );
    expect(await configCommand(configuration, configSession(), 'set Message_Expiration 13')).toEqual({
      ok: false,
      lines: ['thirteen is unlucky'],
    });
    expect(configuration.current.number).toBe(1);
    await configCommand(configuration, configSession(), 'set Message_Expiration 12');
    check[Symbol.dispose]();
    await configCommand(configuration, configSession(), 'set Message_Expiration 13');
    expect(heard).toEqual(['check 1 → 2', 'check 1 → 2', 'commit 1 → 2, live 2', 'commit 2 → 3, live 3']);
  });

  test('commits wait for each other, and each sees what the one before has done', async () => {
    const { configuration } = await configured(BASE, declared);
    using _check = configuration.beforeCommit(async () => {
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    });
    const sets = [1, 2, 3].map((value) =>
      configCommand(configuration, configSession(), `set domain d${value}.test Message_Expiration ${value}`),
    );
    expect((await Promise.all(sets)).every((result) => result.ok)).toBe(true);
    expect([1, 2, 3].map((value) => sending(configuration.current, `d${value}.test`).get(expiration))).toEqual([
      1, 2, 3,
    ]);
    expect(configuration.current.number).toBe(4);
  });

  test('an option that is not dynamic keeps its value until the next start, and says so', async () => {
    const { configuration, disk } = await configured('Spoolbase = "/a"', declared);
    const session = configSession();
    expect((await configCommand(configuration, session, 'set Spoolbase "/b"')).lines).toEqual([
      'Warning: "Spoolbase" cannot be changed at run time; restart to apply.',
      'Spoolbase = "/b"',
    ]);
    expect(configuration.current.global.get(spoolbase)).toBe('/a');
    expect((await configCommand(configuration, session, 'eval Spoolbase')).lines).toEqual([
      'Spoolbase = "/b" (pending restart)',
    ]);
    expect((await configCommand(configuration, session, 'set Spoolbase "/a"')).lines).toEqual(['Spoolbase = "/a"']);
    await disk.replace(MAIN, Buffer.from('Message_Expiration = 5'));
    expect((await configCommand(configuration, session, 'reload')).lines).toEqual([
      'Warning: "Spoolbase" cannot be changed at run time; restart to apply.',
      'Configuration reloaded, generation 4.',
    ]);
    expect(configuration.current.global.get(spoolbase)).toBe('/a');
    expect((await configCommand(configuration, session, 'eval Spoolbase')).lines).toEqual([
      'Spoolbase = "/var/spool/impetus" (pending restart)',
    ]);
  });

  test('the cache of answers is bounded, and an answer that is gone is given again', async () => {
    const { configuration } = await configured(`Match_Cache_Size = 4 ${BASE}`, declared);
    const view = sending(configuration.current, 'a0.test');
    for (let index = 0; index < 1000; index++) sending(configuration.current, `a${index}.test`);
    expect(sending(configuration.current, 'a0.test')).toBe(view);
    expect(sending(configuration.current, 'b.test').get(expiration)).toBe(9);
  });
});

test('a hundred thousand domain stanzas load in a moment, and each has its value', async () => {
  const text = Array.from(
    { length: 100_000 },
    (_, index) => `Domain "d${index}.test" { Max_Outbound_Connections = ${index} }`,
  ).join('\n');
  const { configuration } = await configured(text, declared);
  for (let index = 0; index < 100_000; index += 997)
    expect(sending(configuration.current, `d${index}.test`).get(connections)).toBe(index);
});
