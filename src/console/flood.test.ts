import { describe, expect, test } from 'vitest';
import { entered, ground } from '../../test/support/console/login-ground.ts';
import { Peer } from '../../test/support/console/peer.ts';
import { frameKinds } from './frames.ts';
import { MOST_CONSOLES, MOST_WAITING, MOST_WAITING_EACH } from './server.ts';

/** A client that keeps its half of the connection open. */
class Stayer extends Peer {
  ended(): void {}
}

describe('a flood', () => {
  test('of clients that never log in leaves room for one who does', async () => {
    const served = await ground();
    const idle = [];
    for (let client = 0; client < MOST_WAITING + 50; client++) {
      idle.push(served.peerFrom(`198.51.100.${1 + (client % 200)}`));
      await served.house.clock.advance(1);
    }
    await served.house.clock.advance(100);
    expect(served.server.sessions).toBe(MOST_WAITING);
    expect(idle.filter((each) => each.isClosed)).toHaveLength(50);
    const peer = await entered(served);
    expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
  });

  test('from one address is stopped early, told once a second with a count, and counted', async () => {
    const served = await ground();
    const all = Array.from({ length: 500 }, () => served.peer());
    await served.house.clock.advance(500);
    expect(served.server.sessions).toBe(MOST_WAITING_EACH);
    expect(all.at(-1)?.heard).toEqual(['bye too many clients of this address wait for a login']);
    await served.house.clock.advance(2000);
    const lines = served.told.filter(({ text }) => text.includes('refused'));
    expect(lines).toHaveLength(2);
    expect(lines[1]?.text).toMatch(/\(489 in the last second\)$/);
    expect(served.server.counts).toEqual({ served: MOST_WAITING_EACH, refused: 490, broken: 0 });
    expect(served.origins.filter(({ ends }) => ends === 1)).toHaveLength(490);
  });

  test('of garbage is closed, counted, and one line a second', async () => {
    const served = await ground();
    for (let client = 0; client < 100; client++) {
      const peer = served.peer();
      peer.pipe.write([Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
      await served.house.clock.advance(5);
    }
    await served.house.clock.advance(3000);
    expect(served.server.sessions).toBe(0);
    expect(served.server.counts.broken).toBe(100);
    expect(served.told.length).toBeLessThan(5);
    expect(served.house.clock.pending).toBe(0);
  });

  test('of garbage from clients that do not close behind us leaves room for others', async () => {
    const served = await ground();
    for (let client = 0; client < MOST_CONSOLES; client++) {
      const peer = new Stayer(served.network, served.at, served.house.clock);
      peer.pipe.write([Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
      await served.house.clock.advance(5);
    }
    const peer = await entered(served);
    expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
  });

  test('of small questions whose answers nobody reads stops at a bounded backlog', async () => {
    const served = await ground({ always_allow: true });
    let answered = 0;
    served.house.modules.commands = () => {
      answered++;
      return [];
    };
    const peer = served.peer();
    await peer.hears(10);
    peer.pipe.pause();
    for (let question = 0; question < 40_000; question++) peer.send(frameKinds.complete, 's');
    await served.house.clock.advance(10_000);
    expect(answered).toBeGreaterThan(10);
    expect(answered).toBeLessThan(10_000);
    peer.pipe.resume();
    await served.house.clock.advance(30_000);
    expect(peer.heard.filter((each) => each.startsWith('end'))).toHaveLength(40_000);
  });

  test('of listings that nobody reads to their end leaves no generator, no session and no snapshot', async () => {
    const served = await ground({ always_allow: true });
    const { house } = served;
    const open = { generators: 0, snapshots: 0, most: 0 };
    house.moduleCommands = [
      {
        words: 'list',
        summary: '',
        async *run() {
          open.generators++;
          open.snapshots++;
          open.most = Math.max(open.most, open.generators);
          try {
            for (;;) yield `${'x'.repeat(4095)}\n`;
          } finally {
            open.generators--;
            open.snapshots--;
          }
        },
      },
    ];
    const peers = Array.from({ length: 40 }, () => served.peer());
    await house.clock.advance(10);
    for (const peer of peers) {
      peer.pipe.pause();
      peer.send(frameKinds.request, 'list');
    }
    await house.clock.advance(1000);
    expect(open).toEqual({ generators: 40, snapshots: 40, most: 40 });
    for (const [index, peer] of peers.entries()) if (index % 2 === 0) peer.pipe.destroy();
    await house.clock.advance(1000);
    expect([open.generators, served.server.sessions]).toEqual([20, 20]);
    // Those that are there and do not read are cut off after the idle time.
    await house.clock.advance(61_000);
    expect([open.generators, open.snapshots, served.server.sessions]).toEqual([0, 0, 0]);
    expect(house.configSessions).toMatchObject({ opened: 40, disposed: 40 });
    expect(house.clock.pending).toBe(0);
  });
});
