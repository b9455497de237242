import { expect, test } from 'vitest';
import { FILE, serverIn } from '../../test/support/whole-server.ts';
import type { DiagnosticEvent } from '../events/index.ts';
import { simWorld } from '../world/sim/index.ts';
import type { Server } from './index.ts';

const TEXT = `
Spoolbase = "/spool"
Relay_Hosts = ( 192.0.2.0/24 )
Routes = ( "smtp://192.0.2.9" )
Host_Failure_Retry = 1
Retry_Interval = 2
ESMTP_Listener { Listen "10.0.0.1:25" { } }
Control_Listener { Listen "/run/control" { } }
`;

async function started() {
  const world = simWorld(1, { diskLatencyMillis: 1 });
  world.disk.put(FILE, TEXT);
  const told: string[] = [];
  const begin = (): Promise<Server> =>
    serverIn(world, (events) => {
      events.subscribe(['diagnostic'], (event: DiagnosticEvent) => void told.push(`${event.level} ${event.text}`));
    });
  return { world, told, begin, server: await world.clock.until(begin()) };
}

/** Hands one message in, so that the spool has something to say at the end. */
async function receive({ world }: Awaited<ReturnType<typeof started>>): Promise<string> {
  let heard = '';
  const pipe = world.network.connect({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, '192.0.2.1', {
    opened: () => undefined,
    data: (chunk) => {
      heard += Buffer.from(chunk).toString('latin1');
    },
    drained: () => undefined,
    closed: () => undefined,
  });
  for (const line of ['EHLO a', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA', 'Subject: x\r\n\r\ny\r\n.']) {
    await world.clock.advance(100);
    pipe.write([Buffer.from(`${line}\r\n`)]);
  }
  await world.clock.advance(100);
  pipe.end();
  return heard;
}

test('a disk that fails at the end does not keep the server from closing, and the next one starts', async () => {
  const house = await started();
  expect(await receive(house)).toContain('354');
  const { world, server, told } = house;
  const fault = world.disk.fail({ operation: ['write', 'sync'], path: '/spool' });
  // Nobody listens at the route: every failure leaves a record that cannot be written.
  await world.clock.advance(10_000);
  await world.clock.until(server.close(1000));
  expect(told.at(-1)).toMatch(/^CRITICAL the spool closes without its last done and state records/);
  fault[Symbol.dispose]();
  const next = await world.clock.until(house.begin());
  await world.clock.advance(1000);
  expect(next.ledger.queued).toBe(1);
  await world.clock.until(next.close(1000));
});
