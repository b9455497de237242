import { describe, expect, test } from 'vitest';
import { WholeServer } from '../support/whole-server.ts';

const PROXY = '10.0.0.1';
const listener = (more: string): string => `
  Pathway_Group "partners" { Pathway "gold" { Require_EHLO = true Inbound_Throttle_Messages = "1/3600" } }
  ESMTP_Listener {
    Listen ":25" {
      Peer "${PROXY}" { SMTP_Extensions = ( XCLIENT XREMOTEIP XSETCONTEXT XDUMPCONTEXT ) Context = [ via = "proxy" ] }
      Peer "203.0.113.0/24" { Pathway = "gold" Context = [ customer = "c1" can_relay = "true" ] Idle_Time = 10 Listener_Sessions = 1 }
      Peer "198.51.100.0/24" { SMTP_Extensions = ( XCLIENT ) }
      ${more}
    }
  }`;

describe('the address that a proxy claims for its client', () => {
  test('brings its Peer: pathway and group, Context, options, and not the right to say X-commands', async () => {
    const server = await WholeServer.with(listener(''));
    const proxy = await server.connect('10.0.0.25:25', PROXY);
    expect(await proxy.says('EHLO a.test')).toContain('250-XDUMPCONTEXT');
    expect(await proxy.says('XDUMPCONTEXT')).toContain('250-[connection] via proxy');
    expect(await proxy.says('XCLIENT ADDR=203.0.113.9')).toMatch(/^220 mx\.test ESMTP /);
    // Require_EHLO of the pathway.
    expect(await proxy.says('MAIL FROM:<a@b.test>')).toBe('550 RFC2821 HELO/EHLO needed');
    const ehlo = await proxy.says('EHLO client.test');
    expect(ehlo).toMatch(/^250-mx\.test says EHLO to 203\.0\.113\.9\r\n250-PIPELINING\r\n250-XCLIENT /);
    const dump = await proxy.says('XDUMPCONTEXT');
    for (const line of ['pathway gold', 'pathway_group partners', 'customer c1', 'can_relay true'])
      expect(dump).toContain(`250-[connection] ${line}\r\n`);
    expect(dump).not.toContain('via proxy');
    await server.world.clock.advance(11_000);
    expect(proxy.heard).toMatch(/421 4\.4\.2 mx\.test idle timeout\r\n$/);
  });

  test('may be one that is trusted itself: nobody gains commands by claiming it', async () => {
    const server = await WholeServer.with(listener('Peer "10.0.0.2" { SMTP_Extensions = ( XREMOTEIP ) }'));
    const proxy = await server.connect('10.0.0.25:25', '10.0.0.2');
    expect(await proxy.says('XREMOTEIP 198.51.100.1')).toBe('250 OK');
    expect(await proxy.says('EHLO a.test')).toBe(
      '250-mx.test says EHLO to 198.51.100.1\r\n250-PIPELINING\r\n250-XREMOTEIP\r\n250 8BITMIME',
    );
    expect(await proxy.says('XCLIENT ADDR=1.2.3.4')).toBe('500 unrecognized command');
    const own = await server.connect('10.0.0.25:25', '198.51.100.1');
    expect(await own.says('EHLO a.test')).toContain('250-XCLIENT ');
  });

  test('counts for its session caps, which are asked at the next MAIL', async () => {
    const server = await WholeServer.with(listener(''));
    const direct = await server.connect('10.0.0.25:25', '203.0.113.1');
    const proxy = await server.connect('10.0.0.25:25', PROXY);
    expect(await proxy.says('XREMOTEIP 203.0.113.9', 'EHLO a.test', 'NOOP')).toMatch(/250 OK$/);
    const third = await server.connect('10.0.0.25:25', '203.0.113.1');
    expect(third.heard).toBe('421 4.4.5 Service unavailable, concurrency limit reached.\r\n');
    expect(await proxy.says('MAIL FROM:<a@b.test>')).toBe('421 4.4.5 Service unavailable, concurrency limit reached.');
    expect(await direct.says('QUIT')).toMatch(/^221 /);
    const again = await server.connect('10.0.0.25:25', PROXY);
    expect(await again.says('XREMOTEIP 203.0.113.9', 'EHLO a.test', 'MAIL FROM:<a@b.test>')).toMatch(
      /250 MAIL FROM accepted$/,
    );
  });

  test('shares the throttle of its pathway with everybody there', async () => {
    const server = await WholeServer.with(listener('Peer "10.0.0.0/8" { Pathway = "gold" }'));
    const proxy = await server.connect('10.0.0.25:25', PROXY);
    expect(await proxy.says('EHLO a.test', 'MAIL FROM:<a@b.test>', 'RSET', 'XREMOTEIP 203.0.113.9')).toMatch(/250 OK$/);
    expect(await proxy.says('MAIL FROM:<a@b.test>')).toBe('');
    await server.world.clock.advance(5000);
    expect(proxy.heard).toMatch(/451 too many messages at present, try again later\r\n$/);
    const stranger = await server.connect('10.0.0.25:25', '192.0.2.1');
    expect(await stranger.says('MAIL FROM:<a@b.test>')).toBe('250 MAIL FROM accepted');
  });

  test('comes behind a PROXY header too: who the header names must be trusted, not its proxy', async () => {
    const server = await WholeServer.with(listener('Proxy_Protocol = true'));
    const one = await server.connect('10.0.0.25:25', PROXY);
    expect(await one.says('PROXY TCP4 192.0.2.1 192.0.2.25 1 25', 'XREMOTEIP 203.0.113.9')).toMatch(
      /500 unrecognized command$/,
    );
    const two = await server.connect('10.0.0.25:25', '192.0.2.1');
    expect(await two.says(`PROXY TCP4 ${PROXY} 192.0.2.25 1 25`, 'XREMOTEIP 203.0.113.9')).toMatch(/250 OK$/);
  });
});

describe('conntrol in a server', () => {
  const conntrol = (name: string): string =>
    `${listener('')} conntrol "${name}" { banner = "220-${name}\\r\\n" pause_time = 2 }`;

  test('greets by its stanza, and after a reload by the new one only; clients that wait go on', async () => {
    const server = await WholeServer.with(conntrol('one'));
    const waiting = await server.connect('10.0.0.25:25', '192.0.2.1');
    expect(waiting.heard).toBe('220-one\r\n');
    await server.reload(conntrol('two'));
    const other = await server.connect('10.0.0.25:25', '192.0.2.1');
    await server.world.clock.advance(2000);
    expect(waiting.heard).toMatch(/^220-one\r\n220 mx\.test /);
    expect(other.heard).toMatch(/^220-two\r\n220 mx\.test /);
    await server.reload(listener(''));
    expect((await server.connect('10.0.0.25:25', '192.0.2.1')).heard).toMatch(/^220 mx\.test /);
    expect(server.told.filter((line) => !line.startsWith('NOTICE'))).toEqual([]);
  });
});
