import { expect, test } from 'vitest';
import {
  answersIn,
  errorOf,
  type HttpAnswer,
  type HttpClient,
  HttpRoom,
  request,
} from '../../test/support/http-room.ts';
import { json } from './answer.ts';
import type { Credentials } from './credentials.ts';
import { md5 } from './digest.ts';
import { type Route, route } from './route.ts';

const routes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/stats',
    summary: 'statistics',
    tag: 'test',
    access: { kind: 'listener', grant: 'stats/view' },
    answer: { status: 200, summary: 'some' },
    run: () => json({}),
  }),
];

/** Ann and Bob, whose passwords are their names backwards. What was looked up is counted. */
class Users implements Credentials {
  looked = 0;
  readonly passwords = new Map([
    ['ann', 'nna'],
    ['bob', 'bob-'],
  ]);
  offers(): ReturnType<Credentials['offers']> {
    return { basic: true, digest: { realm: 'r' } };
  }
  async check(_view: unknown, user: string, password: string): Promise<'right' | 'wrong'> {
    this.looked++;
    return this.passwords.get(user) === password ? 'right' : 'wrong';
  }
  async digest(_view: unknown, user: string): Promise<{ readonly secret: string }> {
    this.looked++;
    return { secret: md5(`${user}:r:${this.passwords.get(user) ?? 'decoy'}`) };
  }
}

const HERE = '127.0.0.1';
const THERE = '127.0.0.2';

class Door {
  readonly users = new Users();
  readonly room: HttpRoom;
  private constructor(room: HttpRoom, users: Users) {
    this.room = room;
    this.users = users;
  }

  static async open(): Promise<Door> {
    const users = new Users();
    return new Door(
      await HttpRoom.open({ routes, listener: 'Enable_Authentication = true', credentials: users }),
      users,
    );
  }

  /** Asks without waiting for the answer. */
  begin(field: string, from = HERE): HttpClient {
    const client = this.room.client(from);
    client.says(request(`GET /stats\nAuthorization: ${field}`));
    return client;
  }

  /** @returns the answer, and the seconds that it took */
  async ask(field: string, from = HERE): Promise<{ answer: HttpAnswer; status: number; seconds: number }> {
    const client = this.begin(field, from);
    for (let seconds = 0; seconds < 100; seconds++) {
      const [answer] = await client.answers(seconds === 0 ? 10 : 1000);
      if (answer !== undefined) return { answer, status: answer.status, seconds };
    }
    throw new Error('no answer');
  }

  async wrong(times: number, user = 'ann', from = HERE): Promise<readonly number[]> {
    const took: number[] = [];
    for (let time = 0; time < times; time++) {
      const { status, seconds } = await this.ask(basic(user, `wrong ${time}`), from);
      expect(status).toBe(401);
      took.push(seconds);
    }
    return took;
  }
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

test('from the fourth wrong password of an address on answers are held back, the right ones with the wrong ones', async () => {
  const door = await Door.open();
  expect(await door.wrong(6)).toEqual([0, 0, 0, 1, 2, 4]);
  const { status, seconds } = await door.ask(basic('bob', 'bob-'));
  expect([status, seconds]).toEqual([200, 4]);
  expect((await door.ask(basic('bob', 'bob-'), THERE)).seconds).toBe(0);
});

test('a hundred guesses at once are no faster: while one is held back, others get 429 and are not looked at', async () => {
  const door = await Door.open();
  const guessers = Array.from({ length: 100 }, (_, n) => door.begin(basic('ann', `guess ${n}`)));
  await door.room.world.clock.advance(500);
  expect(door.users.looked).toBe(4);
  const answers = guessers.flatMap(({ heard }) => answersIn(Buffer.from(heard, 'latin1')));
  const refused = answers.filter(({ status }) => status === 429);
  expect([answers.length, refused.length]).toEqual([99, 96]);
  expect(refused[0] && errorOf(refused[0])).toEqual({
    status: 429,
    code: '1100',
    description: 'too many wrong logins came from this address',
  });
  expect(refused.map(({ headers }) => headers['retry-after'])).toEqual(Array.from({ length: 96 }, () => '1'));
  // The right one waits its turn like the others, and then it is served.
  expect((await door.ask(basic('ann', 'nna'))).status).toBe(429);
  await door.room.world.clock.advance(1000);
  const right = await door.ask(basic('ann', 'nna'));
  expect([right.status, right.seconds]).toEqual([200, 1]);
});

test('who was right before is served at once, whatever others from its address or under its name guess', async () => {
  const door = await Door.open();
  const right = basic('ann', 'nna');
  expect((await door.ask(right)).status).toBe(200);
  await door.wrong(8);
  door.begin(basic('ann', 'one that is held back'));
  for (let time = 0; time < 3; time++) expect(await door.ask(right)).toMatchObject({ status: 200, seconds: 0 });
  door.users.passwords.set('ann', 'another');
  await door.room.world.clock.advance(30_000);
  expect((await door.ask(right)).status).toBe(401);
  expect((await door.ask(right)).seconds).toBeGreaterThan(0);
});

test('a name that is guessed at from many addresses is slow for a new address, and never refused', async () => {
  const door = await Door.open();
  for (let host = 10; host < 30; host++) await door.wrong(2, 'ann', `127.0.0.${host}`);
  const first = await door.ask(basic('ann', 'nna'), THERE);
  expect([first.status, first.seconds]).toEqual([200, 20]);
  expect(await door.ask(basic('ann', 'nna'), THERE)).toMatchObject({ status: 200, seconds: 0 });
});

test('one that is held back for its name does not stand in the way of others from its address', async () => {
  const door = await Door.open();
  for (let host = 10; host < 30; host++) await door.wrong(2, 'ann', `127.0.0.${host}`);
  door.begin(basic('ann', 'wrong'), THERE);
  expect(await door.ask(basic('bob', 'bob-'), THERE)).toMatchObject({ status: 200, seconds: 0 });
});

test('an attempt whose client has gone while it was held back leaves its place to the next', async () => {
  const door = await Door.open();
  await door.wrong(3);
  door.begin(basic('ann', 'wrong')).pipe.destroy();
  await door.room.world.clock.advance(2000);
  expect(await door.ask(basic('ann', 'nna'))).toMatchObject({ status: 200 });
});

test('Digest is held back as Basic is, also for whoever knows the password and has an old nonce', async () => {
  const door = await Door.open();
  const challenge = async (): Promise<string> =>
    (await door.ask('Digest x=y')).answer.headers['www-authenticate'] ?? '';
  const digest = (asked: string, password: string, nc = '00000001'): string => {
    const nonce = /nonce="([^"]*)"/.exec(asked)?.[1] ?? '';
    const response = md5(`${md5(`ann:r:${password}`)}:${nonce}:${nc}:c:auth:${md5('GET:/stats')}`);
    return `Digest username="ann", realm="r", nonce="${nonce}", uri="/stats", qop=auth, nc=${nc}, cnonce="c", response="${response}"`;
  };
  const old = await challenge();
  expect((await door.ask(digest(old, 'nna'))).status).toBe(200);
  for (let time = 0; time < 5; time++) await door.ask(digest(await challenge(), `wrong ${time}`), THERE);
  const stale = await door.ask(digest(old, 'nna'), THERE);
  expect([stale.status, stale.seconds, stale.answer.headers['www-authenticate']?.includes('stale=true')]).toEqual([
    401,
    2,
    true,
  ]);
  // Who is in the middle of a nonce goes on.
  expect(await door.ask(digest(old, 'nna', '00000002'))).toMatchObject({ status: 200, seconds: 0 });
});

test('too many unknown keys of an address are answered with 429, and a key that is right is served all the same', async () => {
  const door = await Door.open();
  const key = await door.room.key('stats/view');
  const unknown = (n: number): string => n.toString(16).padStart(40, '0');
  for (let n = 0; n < 3; n++) expect((await door.ask(unknown(n))).status).toBe(401);
  const waits: (string | undefined)[] = [];
  for (let n = 3; n < 9; n++) {
    const { answer, seconds } = await door.ask(unknown(n));
    expect([answer.status, seconds]).toEqual([429, 0]);
    waits.push(answer.headers['retry-after']);
  }
  expect(waits).toEqual(['1', '2', '4', '8', '16', '20']);
  expect(await door.ask(key)).toMatchObject({ status: 200, seconds: 0 });
  expect((await door.ask(unknown(1), THERE)).status).toBe(401);
  // A program with an old key does not slow down the people beside it.
  expect(await door.ask(basic('ann', 'nna'))).toMatchObject({ status: 200, seconds: 0 });
  await door.room.world.clock.advance(10 * 60_000);
  expect((await door.ask(unknown(1))).status).toBe(401);
});

test('what is no login is no guess', async () => {
  const door = await Door.open();
  for (const field of ['Basic !!!', 'Negotiate abc', 'Digest username="a', `Digest username="ann", realm="other"`, ''])
    for (let time = 0; time < 5; time++) expect(await door.ask(field)).toMatchObject({ status: 401, seconds: 0 });
  expect(door.users.looked).toBe(0);
  expect(await door.ask(basic('ann', 'wrong'))).toMatchObject({ status: 401, seconds: 0 });
});
