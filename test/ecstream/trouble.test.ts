import { expect, test } from 'vitest';
import { joined, millis } from '../../src/base/index.ts';
import { EcstreamRefused, messageFrame, NO_VALUES } from '../../src/ecstream/index.ts';
import { reply } from '../../src/smtp/index.ts';
import { OPEN } from '../dialogues/mail-in.ts';
import { mail, StreamHouse } from './house.ts';
import { hello, RawClient, raw } from './raw-client.ts';

/** A message of which more is to come. */
const half = (seq: number): Buffer =>
  joined(
    messageFrame(
      seq,
      { flags: 0, sender: '', context: NO_VALUES, recipients: [{ address: 'b@y.test', context: NO_VALUES }] },
      [Buffer.from('Subject: half\r\n\r\n')],
      false,
    ),
  );

test('a message that waits for policy goes on when the disk refuses the one before it', async () => {
  const house = await StreamHouse.with();
  house.policy.hook('validate_mailfrom', 'test', async ({ reversePath }) => {
    if (reversePath !== 'slow@x.test') return { kind: 'continue' };
    await new Promise<void>((resolve) => void house.world.clock.at(house.world.clock.now(), resolve));
    house.spool.fails = undefined;
    return { kind: 'tarpit', seconds: 5 };
  });
  house.spool.fails = 'IMP_SPOOL_WRITE';
  const sender = house.sender();
  const first = sender.send(mail(1)).catch((why: unknown) => why);
  const second = sender.send({ ...mail(2), from: 'slow@x.test' });
  expect(await house.until(first)).toBeInstanceOf(EcstreamRefused);
  await house.until(second);
  expect(house.spool.kept).toHaveLength(1);
});

test('a recipient whom policy refuses when the body is here is told so, and gets nothing', async () => {
  const house = await StreamHouse.with();
  house.policy.hook('validate_data_spool_each_rcpt', 'test', ({ recipient }) =>
    recipient === 'bad@y.test' ? { kind: 'reject', reply: reply(550, '5.7.1', 'not her') } : { kind: 'continue' },
  );
  const sender = house.sender();
  const message = { ...mail(1), to: ['no address', 'bad@y.test', 'good@y.test'], dedupKey: 'k'.repeat(32) };
  for (let round = 0; round < 2; round++) {
    const { refused } = await house.until(sender.send(message));
    expect(refused.map(({ recipient, reply: { text } }) => `${recipient}: ${text}`)).toEqual([
      'no address: this is no address',
      'bad@y.test: not her',
    ]);
  }
  expect(house.enqueued.flatMap(({ envelope }) => envelope.recipients.map(({ path }) => path))).toEqual([
    'good@y.test',
  ]);
  expect(house.spool.kept[0]?.envelope.context.message.ec_dedup).toBeUndefined();
  expect(house.rejections.map(({ phase, module }) => `${phase} ${module}`)).toContain('validating body test');
});

test('a client that ends in the middle of a message is let go, and what it had finished is kept', async () => {
  const house = await StreamHouse.with({ ...OPEN, ecstream_idle_time: '0' });
  const pipe = new RawClient(house);
  pipe.write(Buffer.concat([hello(0), raw(1), half(2)]));
  await house.later(1);
  pipe.finish();
  await house.later(1);
  expect(house.reception.sessions).toBe(0);
  expect(house.spool.kept).toHaveLength(1);
  expect(house.spool.discarded).toBe(1);
});

test('the time for which policy held a message does not make its client idle', async () => {
  const house = await StreamHouse.with({ ...OPEN, ecstream_idle_time: '30' });
  house.policy.hook('validate_data', 'test', () => ({ kind: 'tarpit', seconds: 60 }));
  const sender = house.sender();
  await house.until(sender.send(mail(1)));
  await house.later(20);
  expect(house.reception.sessions).toBe(1);
  await house.later(20);
  expect(house.reception.sessions).toBe(0);
});

test('the rejectlog shows the variables of the message that was refused, and of no other', async () => {
  const house = await StreamHouse.with();
  house.policy.hook('validate_data_spool', 'test', ({ messageContext }) =>
    messageContext.job === 'drop' ? { kind: 'discard' } : { kind: 'continue' },
  );
  const sender = house.sender();
  await house.until(sender.send({ ...mail(1), context: { job: 'drop' } }));
  const reserved = sender.send({ ...mail(2), context: { '#no': '1' } }).catch((why: unknown) => why);
  await house.until(reserved);
  expect(house.rejections.at(-1)?.messageContext.job).toBeUndefined();

  house.spool.fails = 'IMP_SPOOL_WRITE';
  house.policy.hook('validate_mailfrom', 'test', ({ reversePath }) =>
    reversePath === 'slow@x.test' ? { kind: 'tarpit', seconds: 5 } : { kind: 'continue' },
  );
  const refused = sender.send({ ...mail(3), context: { job: 'refused' } }).catch((why: unknown) => why);
  const other = sender
    .send({ ...mail(4), from: 'slow@x.test', context: { job: 'other' } })
    .catch((why: unknown) => why);
  await house.until(refused);
  expect(house.rejections.at(-1)?.messageContext.job).toBe('refused');
  await house.until(other);
});

test('a client that comes again with a message that is still being judged shares what becomes of it', async () => {
  const house = await StreamHouse.with();
  house.policy.hook('validate_data_spool', 'test', async () => {
    await new Promise<void>((resolve) => void house.world.clock.at(millis(house.world.clock.now() + 10_000), resolve));
    return { kind: 'continue' };
  });
  const sender = house.sender();
  const sent = sender.send(mail(1));
  await house.later(5);
  for (const pipe of house.world.network.pipes) house.world.network.reset(pipe);
  expect(await house.until(sent)).toMatchObject({ refused: [] });
  expect(sender.connections).toBe(2);
  expect(house.spool.kept).toHaveLength(1);
});

test('a client that calls itself a book, with line ends, has a short name of one line', async () => {
  const house = await StreamHouse.with();
  const book = `x\r\nEvil: yes${'y'.repeat(60_000)}`;
  await house.until(house.sender({ name: book, hostName: book }).send(mail(1)));
  const { connection } = house.spool.kept[0]?.envelope.context ?? {};
  for (const name of ['ehlo_domain', 'ecstream_client'])
    expect(connection?.[name]).toBe(`x??Evil: yes${'y'.repeat(243)}`);
  expect(house.spool.kept[0]?.body).not.toContain('\r\nEvil');
});

test('clients that break the protocol by the hundred fill no log', async () => {
  const house = await StreamHouse.with();
  const pipes = Array.from({ length: 300 }, () => new RawClient(house));
  for (const pipe of pipes) pipe.write(Buffer.concat([hello(0), raw(7)]));
  await house.later(3);
  expect(pipes.every(({ isClosed }) => isClosed)).toBe(true);
  expect(house.lines).toEqual([
    expect.stringMatching(/^INFO ecstream: .* broke the protocol: 503/),
    expect.stringMatching(/^INFO ecstream: .* broke the protocol: 503.*298/),
  ]);
});

test.each(['at once', 'later'])(
  'a bug of ours that comes to light %s costs one connection, which ends, and no message',
  async (when) => {
    const house = await StreamHouse.with();
    if (when === 'later') house.policy.hook('validate_mailfrom', 'test', async () => ({ kind: 'continue' }));
    const sender = house.sender();
    await house.until(sender.send(mail(1)));
    const draft = house.spool.draft.bind(house.spool);
    house.spool.draft = () => {
      house.spool.draft = draft;
      throw new Error('a bug');
    };
    await house.until(Promise.all([sender.send(mail(2)), sender.send(mail(3))]));
    expect(house.spool.kept).toHaveLength(3);
    expect([sender.connections, house.reception.sessions]).toEqual([2, 1]);
    expect(house.lines).toEqual([expect.stringMatching(/^CRITICAL ecstream: .* failed: Error: a bug/)]);
  },
);
