import { expect, test } from 'vitest';
import { buildServer, type Server } from '../../src/main/index.ts';
import { type SimWorld, simProcess, simWorld } from '../../src/world/sim/index.ts';
import { Client, endpoint } from '../support/listening.ts';
import { serverConfiguration } from '../support/server-configuration.ts';

const FILE = '/etc/impetus.conf';

/** @param listens  what stands in the ESMTP_Listener */
const text = (listens: string): string => `
Spoolbase = "/spool"
Relay_Hosts = ( 192.0.2.0/24 )
Gateway = "10.9.9.9"
Retry_Interval = 5
ESMTP_Listener { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" ) ${listens} }
Control_Listener { Listen "/run/control" { } }
`;

async function started(
  listens: string,
): Promise<{ readonly world: SimWorld; readonly server: Server; readonly told: string[] }> {
  const world = simWorld(1, { diskLatencyMillis: 1 });
  world.disk.put(FILE, text(listens));
  const told: string[] = [];
  const begin = async (): Promise<Server> => {
    const configuration = await serverConfiguration(world, FILE);
    return buildServer({
      world,
      process: simProcess(),
      configuration,
      observe: (events) => events.subscribe(['diagnostic'], (event) => void told.push(`${event.level} ${event.text}`)),
    });
  };
  return { world, told, server: await world.clock.until(begin()) };
}

/** An SMTP client that says one line after the other. */
class Sender extends Client {
  readonly #world: SimWorld;

  constructor(world: SimWorld, to: string) {
    super();
    this.#world = world;
    this.pipe = world.network.connect(endpoint(to), '192.0.2.1', this);
  }

  /** @returns what was answered */
  async says(...lines: readonly string[]): Promise<string> {
    const before = this.heard.length;
    for (const line of lines) {
      this.pipe.write([Buffer.from(`${line}\r\n`)]);
      await this.#world.clock.advance(100);
    }
    return this.heard.slice(before).trimEnd();
  }
}

test('mail under way does not notice that its socket becomes the wildcard, is closed, and that a reload fails', async () => {
  const { world, server, told } = await started('Listen "10.0.0.1:25" { }');
  const reload = async (listens: string): Promise<void> => {
    world.disk.put(FILE, text(listens));
    await world.clock.until(server.reload());
    await world.clock.advance(10);
  };
  const sender = new Sender(world, '10.0.0.1:25');
  expect(await sender.says('EHLO a.test', 'MAIL FROM:<a@b.test>')).toContain('250 2.1.0 MAIL FROM accepted');

  await reload('Listen "*:25" { }');
  expect(server.configuration.current.number).toBe(2);
  expect(await sender.says('RCPT TO:<c@d.test>', 'DATA')).toContain('354 ');
  expect(await new Sender(world, '10.0.0.2:25').says('NOOP')).toContain('250 2.0.0 OK');

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
  const { world, server } = await started('Listen "10.0.0.1:25" { }');
  const sender = new Sender(world, '10.0.0.1:25');
  await sender.says('EHLO a.test');
  world.disk.put(FILE, text('Idle_Time = 77 Listen "*:25" { }'));
  await world.clock.until(server.reload());
  expect(await sender.says('MAIL FROM:<a@b.test>')).toBe('421 4.3.2 Reconfiguration in progress');
  expect(sender.state).toBe('closed');
  await world.clock.until(server.close(1000));
});
