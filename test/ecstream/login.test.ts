import { describe, expect, test } from 'vitest';
import { authFrame, EcstreamLost, EcstreamSender } from '../../src/ecstream/index.ts';
import { ApiKeyFile } from '../../src/http/index.ts';
import { simWorld } from '../../src/world/sim/index.ts';
import { WholeServer } from '../support/whole-server.ts';
import { mail, StreamHouse } from './house.ts';
import { hello, RawClient, raw } from './raw-client.ts';

/** A login is wanted, and only ann has one. */
async function houseOfAnn(): Promise<StreamHouse> {
  const world = simWorld();
  await world.disk.makeDirectory('/etc');
  await world.disk.replace('/etc/users', Buffer.from('ann:s3cret\n'));
  const values = { enable_authentication: 'true', authplainparameters: { uri: 'file:///etc/users' } };
  return StreamHouse.with(values, world);
}

test('with a login demanded and none to be had, messages are refused with 530 and the login with 454', async () => {
  const house = await StreamHouse.with({ enable_authentication: 'true' });
  const pipe = new RawClient(house);
  pipe.write(Buffer.concat([hello(0), raw(1)]));
  await house.later(1);
  expect(pipe.frames).toEqual(['welcome 0', 'reply 1', 'ack 1']);
  const sender = house.sender({ login: { user: 'u', password: 'p' } });
  const lost = await house.until(sender.send(mail(1)).catch((why: unknown) => why));
  expect((lost as EcstreamLost).message).toMatch(/^454/);
});

test('a login by AuthPlainParameters lets a stranger send anywhere; a wrong password is 535', async () => {
  const house = await houseOfAnn();
  const ann = house.sender({ login: { user: 'ann', password: 's3cret' } });
  await house.until(ann.send(mail(1, 'b@elsewhere.test')));
  expect(house.enqueued.map(({ envelope }) => envelope.recipients[0]?.path)).toEqual(['b@elsewhere.test']);
  const eve = house.sender({ login: { user: 'ann', password: 'guess' } });
  const lost = await house.until(eve.send(mail(2)).catch((why: unknown) => why));
  expect((lost as EcstreamLost).message).toMatch(/^535 /);
  expect(house.enqueued).toHaveLength(1);
});

test('the third login that fails is the last, whatever has come behind it', async () => {
  const house = await houseOfAnn();
  const pipe = new RawClient(house);
  const guesses = Array.from({ length: 50 }, (_, n) =>
    authFrame(1, Buffer.from(`\0ann\0${n === 30 ? 's3cret' : `guess ${n}`}`)),
  );
  pipe.write(Buffer.concat([hello(0), ...guesses]));
  await house.later(120);
  expect(pipe.frames).toEqual(['welcome 0', 'reply 0', 'reply 0', 'reply 0', 'bye 0']);
  expect(pipe.isClosed).toBe(true);
});

test('what comes behind a login waits for it', async () => {
  const house = await houseOfAnn();
  const pipe = new RawClient(house);
  pipe.write(Buffer.concat([hello(0), authFrame(1, Buffer.from('\0ann\0s3cret')), raw(1)]));
  await house.later(1);
  expect(pipe.frames).toEqual(['welcome 0', 'authOk 0', 'ack 1']);
});

test('as long as a login takes no more is read than a little', async () => {
  const house = await StreamHouse.with({ enable_authentication: 'true' });
  house.keyFound = new Promise(() => undefined);
  const pipe = new RawClient(house);
  pipe.write(Buffer.concat([hello(0), authFrame(2, Buffer.from('key'))]));
  let accepted = 0;
  for (let n = 0; n < 200; n++) {
    await house.later(0.1);
    if (pipe.write(Buffer.alloc(10_000))) accepted += 10_000;
  }
  expect(accepted).toBeLessThan(500_000);
});

describe('an API key', () => {
  const KEY = 'a'.repeat(40);
  const at = async (): Promise<StreamHouse> => {
    const house = await StreamHouse.with({ enable_authentication: 'true' });
    house.keys.set(KEY, true).set('b'.repeat(40), false);
    return house;
  };

  test('with the grant to send lets a stranger send anywhere, and its id is in the context', async () => {
    const house = await at();
    await house.until(house.sender({ login: { apiKey: KEY } }).send(mail(1, 'b@elsewhere.test')));
    expect(house.enqueued[0]?.envelope.context.connection).toMatchObject({
      auth_name: 'API-KEY',
      auth_user: `id of ${KEY}`,
      auth_status: 'pass',
      can_relay: 'true',
    });
    expect(house.spool.kept[0]?.body).toContain('auth=pass (api-key)');
    expect(JSON.stringify(house.recorded)).not.toContain(`"${KEY}"`);
  });

  test.each([
    ['that nobody knows', 'c'.repeat(40), '535 5.7.8 Authentication credentials invalid'],
    ['without the grant', 'b'.repeat(40), '535 5.7.8 this API key has no grant smtp/inject'],
    ['that is a password of somebody', '\0ann\0s3cret', '535 5.7.8 Authentication credentials invalid'],
  ])('%s is refused', async (_what, apiKey, text) => {
    const house = await at();
    const lost = await house.until(
      house
        .sender({ login: { apiKey } })
        .send(mail(1))
        .catch((why: unknown) => why),
    );
    expect((lost as EcstreamLost).message).toBe(text);
    expect(house.enqueued).toEqual([]);
  });

  test('is guessed slowly', async () => {
    const house = await at();
    const pipes: RawClient[] = [];
    for (let round = 0; round < 3; round++) {
      const pipe = new RawClient(house);
      pipes.push(pipe);
      pipe.write(Buffer.concat([hello(0), ...[1, 2, 3].map((n) => authFrame(2, Buffer.from(`guess ${round} ${n}`)))]));
      await house.later(5);
    }
    expect(pipes.map(({ frames }) => frames.filter((each) => each === 'reply 0').length)).toEqual([3, 3, 0]);
  });

  test('of the file of keys is known to the listener of a server, for as long as it is not revoked', async () => {
    const { world } = await WholeServer.with(
      'API_Key_File = "/keys.json" Suspend_Delivery = true ECStream_Listener { Listen "127.0.0.1:1825" { Enable_Authentication = true } }',
    );
    const file = new ApiKeyFile({ ...world, path: '/keys.json' });
    const key = await world.clock.until(file.create('mailer', ['smtp/inject'], []));
    const sent = (): Promise<unknown> =>
      world.clock.until(
        new EcstreamSender(world, { at: { kind: 'tcp', ip: '127.0.0.1', port: 1825 }, login: { apiKey: key } })
          .send(mail(1, 'b@elsewhere.test'))
          .catch((why: unknown) => why),
      );
    expect(await sent()).toMatchObject({ refused: [] });
    await world.clock.until(file.revoke('mailer'));
    await world.clock.advance(2000);
    expect(await sent()).toBeInstanceOf(EcstreamLost);
  });
});
