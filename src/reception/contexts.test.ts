import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MailIn, OPEN, type Peer, type Values } from '../../test/dialogues/mail-in.ts';
import reference from '../../test/reference/context-variables.json' with { type: 'json' };

const TRUSTED: Values = {
  ...OPEN,
  smtp_extensions: ['XCLIENT', 'XREMOTEIP', 'XSETCONTEXT', 'XDUMPCONTEXT'],
  context: { customer: 'c1', __bypass_spf_v1: 'true' },
};

/** Both contexts as XDUMPCONTEXT shows them. */
function dump(peer: Peer): { readonly conn: Record<string, string>; readonly mess: Record<string, string> } {
  const found = { conn: {} as Record<string, string>, mess: {} as Record<string, string> };
  for (const [, scope, key = '', value = ''] of peer
    .sends('XDUMPCONTEXT\r\n')
    .matchAll(/^250-\[(\w+)\] (\S+) (.*)\r$/gm))
    found[scope === 'connection' ? 'conn' : 'mess'][key] = value;
  return found;
}

/** By name in the reference: how a session comes to it. `conntrol` has its own tests. */
const FILLED: Readonly<Record<string, readonly string[]>> = {
  conn: [
    'ehlo_string',
    'ehlo_domain',
    'pathway',
    'can_relay',
    'auth_name',
    'auth_status',
    'auth_user',
    'connection_message_count',
    'connection_rcpt_count',
    'message_rcpt_count',
    '__bypass_<module>',
    '<any>',
    'early_talker',
    'conntrol_bad_commands',
    'conntrol_unrecognized_commands',
  ],
  mess: [
    'mailfrom_string',
    'mailfrom_localpart',
    'mailfrom_domain',
    'rcptto_string',
    'rcptto_localpart',
    'rcptto_domain',
    '<any>',
  ],
};

describe('the 87 context variables of the reference', () => {
  test('22 of them are filled today', () => {
    expect(reference.variables).toHaveLength(87);
    for (const [scope, names] of Object.entries(FILLED))
      for (const name of names)
        expect(reference.variables.filter((row) => row.name === name && row.scope === scope)).toHaveLength(1);
    expect(Object.values(FILLED).flat()).toHaveLength(22);
  });

  test('and a session shows them', () => {
    const at = new MailIn(TRUSTED);
    at.policy.hook('validate_rcptto', 'script', ({ messageContext }) => {
      messageContext.mine = 'yes';
      return { kind: 'continue' };
    });
    const peer = at.connect();
    peer.sends('XCLIENT LOGIN=ann\r\nEHLO a.test\r\nMAIL FROM:<a@B.test>\r\nRCPT TO:<c@d.test>\r\n');
    const { conn, mess } = dump(peer);
    expect(conn).toEqual({
      ehlo_string: 'EHLO a.test',
      ehlo_domain: 'a.test',
      pathway: 'default',
      can_relay: 'true',
      auth_name: 'XCLIENT',
      auth_status: 'pass',
      auth_user: 'ann',
      connection_message_count: '0',
      connection_rcpt_count: '1',
      message_rcpt_count: '1',
      __bypass_spf_v1: 'true',
      customer: 'c1',
    });
    expect(mess).toEqual({
      mailfrom_string: 'MAIL FROM:<a@B.test>',
      mailfrom_localpart: 'a',
      mailfrom_domain: 'b.test',
      rcptto_string: 'RCPT TO:<c@d.test>',
      rcptto_localpart: 'c',
      rcptto_domain: 'd.test',
      mine: 'yes',
    });
  });

  test('docs/reception.md names every one, those that are filled in its table', () => {
    const page = readFileSync(new URL('../../docs/reception.md', import.meta.url), 'utf8');
    const [, filled = '', later = ''] = /## Context variables(.*?)\nNot filled yet(.*?)\n## /s.exec(page) ?? [];
    const names = (text: string): Set<string> => new Set([...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
    for (const row of reference.variables) {
      const today = FILLED[row.scope]?.includes(row.name) ?? false;
      expect([row.name, names(today ? filled : later).has(row.name)]).toEqual([row.name, true]);
    }
  });
});

describe('counts', () => {
  const body = 'DATA\r\n';
  test('are those of the connection and of the transaction; a refused recipient counts in its own rejection only', () => {
    const at = new MailIn({ ...TRUSTED, open_relay: 'false', relay_domains: ['d.test'] });
    const peer = at.greeted();
    peer.sends('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<no@x.test>\r\n');
    expect(at.rejections.at(-1)?.connectionContext).toMatchObject({
      connection_rcpt_count: '2',
      message_rcpt_count: '2',
    });
    expect(dump(peer).conn).toMatchObject({ connection_rcpt_count: '1', message_rcpt_count: '1' });
    peer.sends(body);
    peer.sends('Subject: x\r\n\r\n.\r\n');
    expect(dump(peer).conn).toMatchObject({ connection_message_count: '1', connection_rcpt_count: '1' });
    expect(dump(peer).conn).not.toHaveProperty('message_rcpt_count');
    peer.sends('MAIL FROM:<>\r\n');
    expect(dump(peer)).toMatchObject({
      conn: { connection_message_count: '1', message_rcpt_count: '0' },
      mess: { mailfrom_string: 'MAIL FROM:<>', mailfrom_localpart: '', mailfrom_domain: '' },
    });
  });

  test('cannot be set by a client', () => {
    const at = new MailIn(TRUSTED);
    const peer = at.greeted();
    peer.sends('XSETCONTEXT connection_message_count=99\r\n');
    expect(dump(peer).conn.connection_message_count).toBe('0');
  });

  test('of variables that a client sets end at 500', () => {
    const at = new MailIn(TRUSTED);
    const peer = at.greeted();
    for (let index = 0; index < 480; index += 10)
      expect(
        peer.sends(`XSETCONTEXT ${Array.from({ length: 10 }, (_, next) => `v${index + next}=1`).join(' ')}\r\n`),
      ).toBe('250 OK\r\n');
    let said = '';
    for (let index = 480; index < 510 && said !== '452 too many context variables\r\n'; index += 1)
      said = peer.sends(`XSETCONTEXT v${index}=1\r\n`);
    expect(said).toBe('452 too many context variables\r\n');
    expect(peer.sends('XSETCONTEXT v1=2\r\n')).toBe('250 OK\r\n');
  });
});

describe('whom a client is taken for', () => {
  test('its mail, logs and later rejections have that address', () => {
    const at = new MailIn(TRUSTED);
    const peer = at.greeted();
    peer.sends('XCLIENT ADDR=203.0.113.9 PORT=4321 DESTADDR=192.0.2.1 DESTPORT=587\r\nEHLO b.test\r\n');
    peer.sends('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n');
    peer.sends('Subject: x\r\n\r\n.\r\n');
    expect(at.spool.kept[0]?.envelope).toMatchObject({ peer: '203.0.113.9' });
    expect(at.spool.kept[0]?.body).toMatch(
      /^Return-Path: <a@b\.test>\r\nReceived: from \[203\.0\.113\.9\] \(\[203\.0\.113\.9\]:4321 helo=b\.test\)/,
    );
    peer.sends('DATA\r\n');
    expect(at.movedTo).toEqual(['203.0.113.9']);
    expect(at.rejections.at(-1)).toMatchObject({ remote: '203.0.113.9:4321', local: '192.0.2.1:587' });
  });

  test('is judged by validate_connect again, and refused as after a connect', () => {
    const at = new MailIn(TRUSTED);
    at.policy.hook('validate_connect', 'acl', ({ remote }) =>
      remote.ip === '203.0.113.9'
        ? { kind: 'reject', reply: { code: 554, enhanced: '5.7.1', text: 'not you' } }
        : { kind: 'continue' },
    );
    for (const command of ['XCLIENT ADDR=203.0.113.9', 'XREMOTEIP 203.0.113.9']) {
      const peer = at.greeted();
      expect(peer.sends(`${command}\r\n`)).toBe('554 not you\r\n');
      expect(peer.ended).toBe(true);
    }
  });

  test('has its session caps asked at the next MAIL, once', () => {
    const at = new MailIn(TRUSTED);
    at.withinCaps = false;
    const peer = at.greeted();
    expect(peer.sends('MAIL FROM:<a@b.test>\r\nRSET\r\n')).toBe('250 MAIL FROM accepted\r\n250 OK\r\n');
    peer.sends('XREMOTEIP 203.0.113.9\r\n');
    expect(peer.sends('NOOP\r\n')).toBe('250 OK\r\n');
    expect(peer.sends('MAIL FROM:<a@b.test>\r\n')).toBe(
      '421 4.4.5 Service unavailable, concurrency limit reached.\r\n',
    );
    expect(peer.ended).toBe(true);
    const other = at.greeted();
    at.withinCaps = true;
    other.sends('XREMOTEIP 203.0.113.9\r\nMAIL FROM:<a@b.test>\r\nRSET\r\n');
    at.withinCaps = false;
    expect(other.sends('MAIL FROM:<a@b.test>\r\n')).toBe('250 MAIL FROM accepted\r\n');
  });

  test('loses what its own address gave it, and keeps what the client has set', () => {
    const at = new MailIn({ ...TRUSTED, open_relay: 'false', relay_hosts: ['192.0.2.0/24'] });
    const peer = at.greeted();
    expect(dump(peer).conn).toMatchObject({ can_relay: 'true', customer: 'c1' });
    peer.sends('XSETCONTEXT mark=1 customer=c2\r\nXREMOTEIP 203.0.113.9\r\n');
    const { conn } = dump(peer);
    expect(conn).toMatchObject({ mark: '1', customer: 'c1', ehlo_domain: 'client.test' });
    expect(conn).not.toHaveProperty('can_relay');
  });

  test('a commit that changes nothing for it leaves it alone, one that does sends it away', () => {
    const at = new MailIn(TRUSTED);
    const peer = at.greeted();
    peer.sends('XREMOTEIP 203.0.113.9\r\n');
    at.commit(TRUSTED);
    expect(peer.sends('MAIL FROM:<a@b.test>\r\nRSET\r\n')).toBe('250 MAIL FROM accepted\r\n250 OK\r\n');
    expect(peer.sends('XDUMPCONTEXT\r\n')).toContain('250 XDUMPCONTEXT complete');
    at.commit({ ...TRUSTED, smtp_extensions: [] });
    expect(peer.sends('MAIL FROM:<a@b.test>\r\n')).toMatch(/^421 /);
  });
});
