import { expect, test } from 'vitest';
import { WholeServer } from '../support/whole-server.ts';

/** @param listens  what stands in the ESMTP_Listener */
const text = (listens: string): string => `
Relay_Hosts = ( 192.0.2.0/24 )
Retry_Interval = 5
ESMTP_Listener { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" ) ${listens} }
`;

test('mail under way does not notice that its socket becomes the wildcard, is closed, and that a reload fails', async () => {
  const whole = await WholeServer.with(text('Listen "10.0.0.1:25" { }'));
  const { world, server, told } = whole;
  const reload = (listens: string): Promise<void> => whole.reload(text(listens));
  const sender = await whole.connect('10.0.0.1:25', '192.0.2.1');
  expect(await sender.says('EHLO a.test', 'MAIL FROM:<a@b.test>')).toContain('250 2.1.0 MAIL FROM accepted');

  await reload('Listen "*:25" { }');
  expect(server.configuration.current.number).toBe(2);
  expect(await sender.says('RCPT TO:<c@d.test>', 'DATA')).toContain('354 ');
  expect(await (await whole.connect('10.0.0.2:25', '192.0.2.1')).says('NOOP')).toBe('250 2.0.0 OK');

  // The new set cannot be had: the port of another is taken, and the wildcard had to go first.
  world.network.refuseBind('10.0.0.1:26', 'EADDRINUSE');
  world.network.refuseBind('10.0.0.3:25', 'EADDRNOTAVAIL');
  await reload('Listen "10.0.0.1:25" { } Listen "10.0.0.3:25" { }');
  await reload('Listen "*:25" { } Listen "10.0.0.1:26" { }');
  expect(told.filter((line) => line.startsWith('ERROR'))).toEqual([
    expect.stringContaining('cannot bind 10.0.0.3:25: simulated EADDRNOTAVAIL'),
    expect.stringContaining('cannot bind 10.0.0.1:26: simulated EADDRINUSE'),
  ]);
  expect([...world.network.listening.keys()].sort()).toEqual(['/run/control', '0.0.0.0:25']);

  await reload('Listen "*:25" { Enable = false }');
  expect([...world.network.listening.keys()]).toEqual(['/run/control']);
  expect(await sender.says('Subject: x', '', 'y', '.')).toMatch(/^250 2\.0\.0 OK /);
  // Nothing that this client sees has changed: it may send another.
  expect(await sender.says('MAIL FROM:<a@b.test>')).toBe('250 2.1.0 MAIL FROM accepted');
  expect(server.ledger).toMatchObject({ received: 1, queued: 1, difference: 0 });
  await world.clock.until(server.close(1000));
});

test('a reload that changes what a client sees sends it away at its next MAIL, whatever became of its socket', async () => {
  const whole = await WholeServer.with(text('Listen "10.0.0.1:25" { }'));
  const { world, server } = whole;
  const sender = await whole.connect('10.0.0.1:25', '192.0.2.1');
  await sender.says('EHLO a.test');
  await whole.reload(text('Idle_Time = 77 Listen "*:25" { }'));
  expect(await sender.says('MAIL FROM:<a@b.test>')).toBe('421 4.3.2 Reconfiguration in progress');
  expect(sender.state).toBe('closed');
  await world.clock.until(server.close(1000));
});
