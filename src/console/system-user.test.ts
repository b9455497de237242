import { describe, expect, test } from 'vitest';
import { FakeHouse } from '../../test/support/console/fake-house.ts';
import type { Ground, Peer } from '../../test/support/console/login-ground.ts';
import { serve } from '../../test/support/console/peer.ts';
import type { AccountingEvent } from '../events/index.ts';
import { frame, frameKinds } from './frames.ts';

describe('which user of the system a client of a Unix socket is', () => {
  async function unix(): Promise<Ground & { readonly path: () => string; readonly peer: () => Peer }> {
    const house = new FakeHouse();
    house.disk.put('/etc/passwd', 'root:x:0:0::/:\nfred:x:1000:1000::/:\n');
    await house.disk.makeDirectory('/tmp', 0o1777);
    const accounts: AccountingEvent[] = [];
    house.events.subscribe(['accounting'], (event) => void accounts.push(event));
    const served = await serve(house);
    const one = served.peer();
    await one.hears(10);
    const path = (): string => /"prove":"([^"]+)"/.exec(one.heard[0] ?? '')?.[1] ?? '';
    return { ...served, accounts, told: [], path, peer: () => one };
  }
  const proves = async (peer: Peer): Promise<string[]> => {
    peer.pipe.write(frame(frameKinds.proved, new Uint8Array(0)));
    return peer.hears(10);
  };

  test('is whose directory stands where the server said; it is gone then', async () => {
    const { house, path, peer, accounts } = await unix();
    expect(path()).toMatch(/^\/tmp\/\.impetus-login-[0-9a-f]{16}-[0-9a-f]{32}$/);
    house.disk.owner = 1000;
    await house.disk.makeDirectory(path(), 0o700);
    expect(await proves(peer())).toEqual(['granted fred']);
    expect(await house.disk.status(path())).toBeUndefined();
    expect(await peer().says('authz id')).toEqual([expect.stringContaining('username="fred"'), 'end 0']);
    expect(accounts.map(({ type, user }) => [type, user])).toEqual([
      ['N', 'fred'],
      ['Z', 'fred'],
    ]);
  });

  test('nothing, a file, and a directory that others may write prove nothing', async () => {
    for (const make of ['nothing', 'file', 'open directory'] as const) {
      const { house, path, peer } = await unix();
      house.disk.owner = 1000;
      if (make === 'file') house.disk.put(path(), '', 0o700);
      if (make === 'open directory') await house.disk.makeDirectory(path(), 0o770);
      expect(await proves(peer())).toEqual(['denied not proved']);
      expect(await peer().says('json authz id')).toEqual([expect.stringContaining('"username": ""'), 'end 0']);
    }
  });

  test.each([
    ['a link', { kind: 'link', device: 1 }],
    ['a mount point', { kind: 'directory', device: 2 }],
  ] as const)('%s proves nothing, whoever owns it', async (_what, seen) => {
    const { house, path, peer } = await unix();
    const status = house.disk.status.bind(house.disk);
    house.disk.status = async (at) =>
      at === path() ? { ...seen, size: 0, modified: house.clock.date(), mode: 0o700, owner: 0 } : status(at);
    expect(await proves(peer())).toEqual(['denied not proved']);
  });

  test('a client that shows nothing is nobody, and cannot make up for it later', async () => {
    const { house, path, peer, accounts } = await unix();
    expect(await peer().says('pid')).toEqual(['output 4711\n', 'end 0']);
    await house.disk.makeDirectory(path(), 0o700);
    expect(await proves(peer())).toEqual(['bye frame kind 80 is not known']);
    expect(accounts[0]).toMatchObject({ type: 'N', user: '', result: 1 });
  });

  test('a directory that is not sticky, or not root’s, is not trusted with it', async () => {
    for (const [mode, owner] of [
      [0o777, 0],
      [0o1777, 1000],
    ] as const) {
      const house = new FakeHouse();
      house.disk.owner = owner;
      await house.disk.makeDirectory('/tmp', mode);
      const one = (await serve(house)).peer();
      expect(await one.hears(10)).toEqual([expect.not.stringContaining('prove')]);
    }
  });
});
