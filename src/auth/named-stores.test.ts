import { describe, expect, test } from 'vitest';
import { turnEnd } from '../world/sim/turn.ts';
import type { LoginAttempt, SchemeAnswer } from './named-scheme.ts';
import { NamedStores } from './named-stores.ts';
import { unixCrypt } from './unix-crypt.ts';

const attempt = (user: string, password: string): LoginAttempt => ({
  ...{ user, password, uri: 'x://' },
  ...{ crypt: 'clear', nonce: '', realm: '', digestUri: '' },
});

/** A scheme whose one user is ann. `turns` are pauses that somebody is in, and go on when the test says so. */
class Ground {
  readonly turns: (() => void)[] = [];
  fits: boolean | undefined = false;
  readonly stores: NamedStores;

  constructor(type: 'ucrypt' | 'clear' | 'scram-sha-256', text: string) {
    const known: SchemeAnswer = { kind: 'stored', type, texts: [text] };
    this.stores = new NamedStores({
      find: () => ({
        ask: async ({ user }) => (user === 'ann' ? known : { kind: 'unknown' }),
        rolesOf: async () => [],
        roles: async () => [],
      }),
      fitsScram: async () => this.fits,
      turn: () => new Promise((go) => void this.turns.push(go)),
    });
  }

  /** Lets everybody go on until nobody waits. @returns how many were in a pause at once */
  async pass(): Promise<number> {
    let most = 0;
    for (await turnEnd(); this.turns.length > 0; await turnEnd()) {
      most = Math.max(most, this.turns.length);
      for (const go of this.turns.splice(0)) go();
    }
    return most;
  }
}

const STORED = (await unixCrypt('secret', '$6$rounds=1000$salt$', async () => undefined)) ?? '';

describe('many logins at once against passwords of crypt(3)', () => {
  test('are compared one after the other: the loop has only one of them to bear', async () => {
    const ground = new Ground('ucrypt', STORED);
    const all = Array.from({ length: 20 }, (_, at) =>
      ground.stores.verdict('x', attempt(at % 2 === 0 ? 'ann' : 'bob', at % 4 === 0 ? 'secret' : 'no')),
    );
    expect(await ground.pass()).toBe(1);
    expect((await Promise.all(all)).map((verdict) => verdict.at(0)).join('')).toBe('rwww'.repeat(5));
  });

  test('are turned away beyond 200 that wait, known and unknown users alike; who compares quickly is not held up', async () => {
    const ground = new Ground('ucrypt', STORED);
    const first = ground.stores.verdict('x', attempt('ann', 'no'));
    await ground.pass();
    expect(await first).toBe('wrong');
    const all = Array.from({ length: 203 }, (_, at) =>
      ground.stores.verdict('x', attempt(at % 2 === 0 ? 'ann' : 'bob', 'no')),
    );
    await ground.pass();
    const verdicts = await Promise.all(all);
    expect(verdicts.slice(0, 201).every((verdict) => verdict === 'wrong')).toBe(true);
    expect(verdicts.slice(201)).toEqual(['unavailable', 'unavailable']);
    expect(await new Ground('clear', 'secret').stores.verdict('x', attempt('ann', 'secret'))).toBe('right');
  });

  test('a password of more than 512 bytes fits nobody, and costs nothing', async () => {
    const ground = new Ground('ucrypt', STORED);
    expect(await ground.stores.verdict('x', attempt('ann', 'é'.repeat(257)))).toBe('wrong');
    expect(ground.turns).toEqual([]);
    expect(await unixCrypt('x'.repeat(512), STORED, async () => undefined)).toMatch(/^\$6\$rounds=1000\$salt\$/);
  });
});

test('when SCRAM lines cannot be compared now, that is said of users who are not known, too', async () => {
  const ground = new Ground('scram-sha-256', `SCRAM-SHA-256$4096:c2FsdA==$${'A'.repeat(43)}=:${'A'.repeat(43)}=`);
  expect(await ground.stores.verdict('x', attempt('ann', 'no'))).toBe('wrong');
  ground.fits = undefined;
  expect(await ground.stores.verdict('x', attempt('ann', 'no'))).toBe('unavailable');
  expect(await ground.stores.verdict('x', attempt('bob', 'no'))).toBe('unavailable');
});
