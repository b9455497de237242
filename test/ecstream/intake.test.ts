import { describe, expect, test } from 'vitest';
import { joined, millis } from '../../src/base/index.ts';
import { byeFrame, EcstreamLost, EcstreamRefused } from '../../src/ecstream/index.ts';
import { reply } from '../../src/smtp/index.ts';
import { OPEN } from '../dialogues/mail-in.ts';
import { mail, StreamHouse } from './house.ts';
import { hello, RawClient, raw } from './raw-client.ts';

describe('a message', () => {
  test('is kept with its Received field, logged as ecstream, and then acknowledged with its id', async () => {
    const house = await StreamHouse.with();
    const sender = house.sender();
    const { id, refused } = await house.until(sender.send({ ...mail(1), context: { job: '7' } }));
    expect(refused).toEqual([]);
    const [kept] = house.spool.kept;
    expect(kept?.envelope).toMatchObject({ batchId: id, protocol: 'ecstream', reversePath: 'a@x.test' });
    expect(kept?.envelope.context.message).toMatchObject({ job: '7' });
    expect(kept?.body).toMatch(
      /^Return-Path: <a@x\.test>\r\nReceived: from \[[^\]]+\] \(\[[^\]]+\]:\d+ helo=client\.test\)\r\n/,
    );
    expect(kept?.body).toMatch(
      /with ecstream id [0-9A-F/-]{20}\r\n\tfor <b@y\.test>;[^\r]*\r\n[^\r]*\r\nDate: [^\r]*\r\nMessage-ID: <[^\r]*>\r\nSubject: 1\r\n\r\nmessage 1\r\n$/,
    );
    expect(house.recorded).toMatchObject([{ kind: 'reception', protocol: 'ecstream', recipient: 'b@y.test' }]);
    expect(house.enqueued).toHaveLength(1);
  });

  test('that is refused for one of its recipients is kept for the others, whose variables stay with them', async () => {
    const house = await StreamHouse.with({ relay_domains: ['y.test'] });
    const sender = house.sender();
    const to = ['b@y.test', 'c@elsewhere.test', { address: 'd@y.test', context: { k: 'v' } }, 'no address'];
    const { refused } = await house.until(sender.send({ ...mail(1), to }));
    expect(refused).toEqual([
      { recipient: 'c@elsewhere.test', reply: reply(550, '5.7.1', 'relaying denied') },
      { recipient: 'no address', reply: reply(553, '5.1.3', 'this is no address') },
    ]);
    expect(house.spool.kept[0]?.envelope.recipients.map(({ path, context }) => [path, context])).toEqual([
      ['b@y.test', undefined],
      ['d@y.test', { k: 'v' }],
    ]);
    expect(house.rejections.map(({ phase, reply: { code } }) => [phase, code])).toEqual([
      ['relaying denied', 550],
      ['awaiting rcptto', 553],
    ]);
  });

  test('that has a sender, or a recipient, who is no address is told which: 5.6.7 is for addresses beyond ASCII', async () => {
    const house = await StreamHouse.with(OPEN);
    const sender = house.sender();
    const codes = [];
    for (const change of [{ from: 'a b' }, { to: ['x y'] }, { to: ['ü@y.test'] }]) {
      const refused = await house.until(sender.send(messageOf(change)).catch((why: unknown) => why));
      codes.push((refused as EcstreamRefused).reply.enhanced);
    }
    expect(codes).toEqual(['5.1.7', '5.1.3', '5.6.7']);
  });

  test.each<readonly [string, Parameters<typeof messageOf>[0], number]>([
    ['all recipients are refused', { to: ['x y'] }, 553],
    ['its sender is no address', { from: 'a b' }, 553],
    ['a reserved name is in its context', { context: { '#x': '1' } }, 501],
    ['its key is too short', { dedupKey: 'short' }, 501],
    ['there is no such binding', { binding: 'nowhere' }, 501],
    ['an address is beyond ASCII', { to: ['ü@y.test'] }, 553],
    ['it is larger than allowed', { body: `Subject: x\n\n${'x'.repeat(5000)}\n` }, 552],
    ['it has too many recipients', { to: Array.from({ length: 4 }, (_, i) => `r${i}@y.test`) }, 452],
    ['it has gone round for ever', { body: `${'Received: x\n'.repeat(101)}\nx\n` }, 554],
    ['a CR stands alone in its header', { body: Buffer.from('Subject: x\ry\r\n\r\nx\r\n') }, 550],
  ])('is refused as a whole when %s, and nothing of it is kept', async (_why, change, code) => {
    const house = await StreamHouse.with({ ...OPEN, max_message_size: '4096', max_recipients_per_message: '3' });
    const sender = house.sender();
    const refused = await house.until(sender.send(messageOf(change)).catch((why: unknown) => why));
    expect(refused).toBeInstanceOf(EcstreamRefused);
    expect((refused as EcstreamRefused).reply.code).toBe(code);
    expect(house.spool.kept).toEqual([]);
    // The connection goes on.
    await house.until(sender.send(mail(2)));
    expect(sender.connections).toBe(1);
  });

  test('whose body begins lines with dots is marked for SMTP, and one that does not is not', async () => {
    const house = await StreamHouse.with({ ...OPEN, rfc2822_lone_lf_in_body: 'ignore' });
    const sender = house.sender();
    const bodies = ['s: 1\r\n\r\nx\r\n', 's: 2\r\n\r\n.\r\n', 's: 3\r\n\r\na.\r\n', 's: 4\r\n\r\na\nb\r\n'];
    const sent = bodies.map((body) => sender.send({ ...mail(1), body: Buffer.from(body) }));
    await house.until(Promise.all(sent));
    expect(house.spool.kept.map(({ traits }) => traits)).toEqual([
      { dots: false, lone: false },
      { dots: true, lone: false },
      { dots: false, lone: false },
      { dots: false, lone: true },
    ]);
  });

  test('with addresses and a header beyond ASCII is taken where SMTPUTF8 is listed, and marked for SMTP', async () => {
    const house = await StreamHouse.with({ ...OPEN, smtp_extensions: ['SMTPUTF8'] });
    const sender = house.sender();
    const body = 'Subject: grüße\n\nx\n';
    await house.until(sender.send({ from: 'jörg@x.test', to: ['ü@bücher.test', 'b@y.test'], body }));
    const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
    const [kept] = house.spool.kept;
    expect(kept?.envelope).toMatchObject({
      reversePath: bytes('jörg@x.test'),
      recipients: [{ path: bytes('ü@bücher.test') }, { path: 'b@y.test' }],
      requests: { utf8Header: true },
    });
    expect(kept?.traits).toEqual({ dots: false, lone: false, eightBit: true });
    expect(kept?.body).toContain(`Return-Path: <${bytes('jörg@x.test')}>\r\n`);
  });

  test('of many parts is put together, deflated or not', async () => {
    const house = await StreamHouse.with();
    const body = Buffer.from(`Subject: long\r\n\r\n${'0123456789\r\n'.repeat(100_000)}`);
    for (const deflate of [false, true]) {
      const sender = house.sender({ deflate });
      await house.until(sender.send({ ...mail(1), body }));
    }
    for (const { body: kept } of house.spool.kept) expect(kept.endsWith(body.toString())).toBe(true);
    expect(house.spool.kept).toHaveLength(2);
  });
});

const messageOf = (change: Partial<Parameters<ReturnType<StreamHouse['sender']>['send']>[0]>) => ({
  ...mail(1),
  ...change,
});

test('ten thousand messages go over one connection, in order, with far fewer acknowledgements', async () => {
  const house = await StreamHouse.with();
  const sender = house.sender();
  const results = await house.until(sender.sendAll(Array.from({ length: 10_000 }, (_, n) => mail(n))));
  expect(results.every((result) => result.status === 'fulfilled')).toBe(true);
  expect(house.spool.kept.map(({ body }) => Number(/Subject: (\d+)/.exec(body)?.[1]))).toEqual(
    Array.from({ length: 10_000 }, (_, n) => n),
  );
  expect(sender.connections).toBe(1);
});

describe('policy', () => {
  test('refuses senders, recipients and bodies with its own words', async () => {
    const house = await StreamHouse.with();
    const no = (text: string) => ({ kind: 'reject', reply: reply(550, '5.7.1', text) }) as const;
    house.policy.hook('validate_mailfrom', 'test', ({ reversePath }) =>
      reversePath === 'bad@x.test' ? no('sender') : { kind: 'continue' },
    );
    house.policy.hook('validate_rcptto', 'test', async ({ recipient }) =>
      recipient === 'bad@y.test' ? no('recipient') : { kind: 'continue' },
    );
    house.policy.hook('validate_data_spool', 'test', ({ body }) =>
      joined([body.next(10_000)].flat() as Uint8Array[]).includes('spam') ? no('body') : { kind: 'continue' },
    );
    const sender = house.sender();
    const said = async (change: Parameters<typeof messageOf>[0]): Promise<string> => {
      const result = sender.send(messageOf(change));
      return house.until(
        result.then(
          ({ refused }) => `ok ${refused.map((each) => each.reply.text).join()}`,
          (why: EcstreamRefused) => why.reply.text,
        ),
      );
    };
    expect(await said({})).toBe('ok ');
    expect(await said({ from: 'bad@x.test' })).toBe('sender');
    expect(await said({ to: ['bad@y.test'] })).toBe('recipient');
    expect(await said({ to: ['bad@y.test', 'good@y.test'] })).toBe('ok recipient');
    expect(await said({ body: 'Subject: x\n\nspam\n' })).toBe('body');
    expect(house.spool.kept).toHaveLength(2);
    expect(house.rejections.map(({ module }) => module)).toEqual(['test', 'test', 'test', 'test']);
  });

  test('a tarpit holds its connection and no other', async () => {
    const house = await StreamHouse.with();
    house.policy.hook('validate_mailfrom', 'test', ({ reversePath }) =>
      reversePath === 'slow@x.test' ? { kind: 'tarpit', seconds: 20 } : { kind: 'continue' },
    );
    const one = house.sender();
    const other = house.sender();
    const slow = one.send({ ...mail(1), from: 'slow@x.test' });
    const behind = one.send(mail(2));
    await house.until(other.send(mail(3)));
    await house.later(19);
    expect(house.spool.kept).toHaveLength(1);
    await house.until(Promise.all([slow, behind]));
    expect(house.spool.kept.map(({ body }) => /Subject: (\d)/.exec(body)?.[1])).toEqual(['3', '1', '2']);
  });

  test('keeps a client out at once', async () => {
    const house = await StreamHouse.with();
    house.policy.hook('validate_connect', 'test', () => ({ kind: 'reject', reply: reply(554, '5.7.1', 'not you') }));
    const sender = house.sender();
    const lost = await house.until(sender.send(mail(1)).catch((why: unknown) => why));
    expect(lost).toBeInstanceOf(EcstreamLost);
    expect((lost as EcstreamLost).message).toBe('554 5.7.1 not you');
  });
});

test('a recipient whose domain is blackholed is refused as at RCPT', async () => {
  for (const blackhole of ['inline', 'true', 'internal', 'false']) {
    const house = await StreamHouse.with({ ...OPEN, blackhole });
    const refused = await house.until(
      house
        .sender()
        .send(mail(1))
        .catch((why: EcstreamRefused) => why),
    );
    const wants = blackhole === 'inline' || blackhole === 'true';
    expect([blackhole, refused instanceof EcstreamRefused]).toEqual([blackhole, wants]);
    if (refused instanceof EcstreamRefused) expect(refused.message).toBe('551 5.7.1 recipient blackholed');
    expect(house.spool.kept).toHaveLength(wants ? 0 : 1);
  }
});

describe('Inbound_Throttle_Messages', () => {
  const at = (throttle: string, idle = '300'): Promise<StreamHouse> =>
    StreamHouse.with({ ...OPEN, inbound_throttle_messages: throttle, ecstream_idle_time: idle });

  test('messages wait for room, those of all clients together, and are all taken', async () => {
    const house = await at('10/10');
    const [one, other] = [house.sender(), house.sender()];
    const all = [one, other].map((sender) => sender.sendAll(Array.from({ length: 10 }, (_, n) => mail(n))));
    await house.later(9);
    expect(house.spool.kept).toHaveLength(10);
    await house.later(3);
    expect(house.spool.kept).toHaveLength(20);
    for (const results of await Promise.all(all))
      expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  test('one that has waited for half of the idle time is deferred, and its key is not spent', async () => {
    const house = await at('1/3600', '60');
    const sender = house.sender();
    await house.until(sender.send(mail(1)));
    const late = sender.send({ ...mail(2), dedupKey: 'k'.repeat(32) }).catch((why: unknown) => why);
    await house.later(29);
    expect(sender.pending).toBe(1);
    await house.later(2);
    expect((await late) as EcstreamRefused).toMatchObject({ reply: { code: 451, enhanced: '4.7.1' } });
    expect(house.rejections).toMatchObject([{ phase: 'awaiting mailfrom', reply: { code: 451 } }]);
    await house.later(3600);
    await house.until(sender.send({ ...mail(2), dedupKey: 'k'.repeat(32) }));
    expect(house.spool.kept).toHaveLength(2);
  });

  test('a repeat that was taken already passes, and who has gone waits no more', async () => {
    const house = await at('2/30');
    const sender = house.sender();
    await house.until(sender.send({ ...mail(1), dedupKey: 'k'.repeat(32) }));
    for (let n = 0; n < 5; n++) await house.until(sender.send({ ...mail(1), dedupKey: 'k'.repeat(32) }));
    await house.until(sender.send(mail(2)));
    const gone = new RawClient(house);
    gone.write(Buffer.concat([hello(0), raw(1)]));
    await house.later(1);
    const waiting = sender.send(mail(3));
    gone.vanish();
    await house.later(40);
    await house.until(waiting);
    expect(house.spool.kept).toHaveLength(3);
    // The client that had gone used nothing up.
    await house.until(sender.send(mail(4)));
  });
});

describe('back-pressure', () => {
  test.each(['exceeded', 'full'] as const)(
    'when memory or spool is %s clients stop, and go on when it is better',
    async (what) => {
      const house = await StreamHouse.with();
      const sender = house.sender();
      await house.until(sender.send(mail(0)));
      house.pressure[what] = true;
      const rest = sender.sendAll(Array.from({ length: 2000 }, (_, n) => mail(n)));
      await house.later(5);
      expect(house.spool.kept.length).toBeLessThanOrEqual(1 + 2 * 256);
      expect(sender.pending).toBeGreaterThan(1000);
      house.pressure[what] = false;
      const results = await house.until(rest);
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
      expect(house.spool.kept).toHaveLength(2001);
    },
  );

  test('a spool that refuses is a 4xx for the message, never a loss', async () => {
    const house = await StreamHouse.with();
    const sender = house.sender();
    house.spool.fails = 'IMP_SPOOL_WRITE';
    const refused = await house.until(sender.send(mail(1)).catch((why: unknown) => why));
    expect((refused as EcstreamRefused).reply).toMatchObject({ code: 451, enhanced: '4.3.0' });
    house.spool.fails = 'IMP_SPOOL_FULL';
    const full = await house.until(sender.send(mail(2)).catch((why: unknown) => why));
    expect((full as EcstreamRefused).reply).toMatchObject({ code: 452, enhanced: '4.3.1' });
    house.spool.fails = undefined;
    await house.until(sender.send(mail(3)));
    expect(house.spool.kept).toHaveLength(1);
  });
});

describe('configuration', () => {
  test('a change that a client sees sends it away; it comes again, and nothing is lost or taken twice', async () => {
    const house = await StreamHouse.with();
    const sender = house.sender();
    const sending = sender.sendAll(Array.from({ length: 3000 }, (_, n) => mail(n)));
    await house.later(0.02);
    house.commit({ ...OPEN, max_message_size: '100000' });
    const results = await house.until(sending);
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(sender.connections).toBe(2);
    expect(new Set(house.spool.kept.map(({ body }) => /Subject: (\d+)/.exec(body)?.[1])).size).toBe(3000);
    expect(house.spool.kept).toHaveLength(3000);
  });

  test('so many messages a connection, and the rest on the next', async () => {
    const house = await StreamHouse.with({ ...OPEN, max_receptions_per_connection: '10' });
    const sender = house.sender();
    const results = await house.until(sender.sendAll(Array.from({ length: 35 }, (_, n) => mail(n))));
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(sender.connections).toBe(4);
    expect(house.spool.kept).toHaveLength(35);
  });

  test('an idle client is sent away after ecstream_idle_time', async () => {
    const house = await StreamHouse.with({ ...OPEN, ecstream_idle_time: '30' });
    const sender = house.sender();
    await house.until(sender.send(mail(1)));
    await house.later(29);
    expect(house.reception.sessions).toBe(1);
    await house.later(32);
    expect(house.reception.sessions).toBe(0);
    await house.until(sender.send(mail(2)));
  });
});

describe('keys', () => {
  const key = 'k'.repeat(32);

  test('a repeat gets the first id and is not kept again, over connections and restarts', async () => {
    const house = await StreamHouse.with();
    const first = house.sender();
    const { id } = await house.until(first.send({ ...mail(1), dedupKey: key }));
    expect((await house.until(first.send({ ...mail(1), dedupKey: key }))).id).toBe(id);
    await house.until(first.close());
    await house.later(2);
    await house.crash();
    await house.open([]);
    const second = house.sender();
    expect((await house.until(second.send({ ...mail(1), dedupKey: key }))).id).toBe(id);
    expect(house.spool.kept).toHaveLength(1);
    await house.later(86_401);
    await house.until(second.send({ ...mail(1), dedupKey: key }));
    expect(house.spool.kept).toHaveLength(2);
  });

  test('what is in the spool is known after a crash, whatever became of the file of keys', async () => {
    const house = await StreamHouse.with();
    const first = house.sender();
    const { id } = await house.until(first.send({ ...mail(1), dedupKey: key }));
    await house.crash();
    await house.world.disk.remove('/keys/ecstream-keys.1').catch(() => undefined);
    await house.open(house.spool.kept.map(({ envelope }) => envelope));
    const second = house.sender();
    expect((await house.until(second.send({ ...mail(1), dedupKey: key }))).id).toBe(id);
  });

  test('a repeat that comes while the first is on its way to the disk shares its fate', async () => {
    const house = await StreamHouse.with();
    const one = house.sender();
    const both = [one.send({ ...mail(1), dedupKey: key }), one.send({ ...mail(1), dedupKey: key })];
    const [a, b] = await house.until(Promise.all(both));
    expect(a?.id).toBe(b?.id);
    expect(house.spool.kept).toHaveLength(1);
    house.spool.fails = 'IMP_SPOOL_WRITE';
    const other = 'o'.repeat(32);
    const failed = [1, 2].map(() => one.send({ ...mail(2), dedupKey: other }).catch((why: unknown) => why));
    for (const why of await house.until(Promise.all(failed))) expect(why).toBeInstanceOf(EcstreamRefused);
    house.spool.fails = undefined;
    await house.until(one.send({ ...mail(2), dedupKey: other }));
    expect(house.spool.kept).toHaveLength(2);
  });

  test('a message of which a recipient was refused gets the same answers again, and after a restart is judged anew', async () => {
    const house = await StreamHouse.with({ relay_domains: ['y.test'] });
    const message = { ...mail(1), to: ['b@y.test', 'c@z.test'], dedupKey: key };
    const refused = async (): Promise<string> => {
      const sent = await house.until(house.sender().send(message));
      return `${sent.refused.map(({ recipient, reply: { code } }) => `${recipient} ${code}`)} ${house.spool.kept.length}`;
    };
    expect([await refused(), await refused()]).toEqual(['c@z.test 550 1', 'c@z.test 550 1']);
    await house.crash();
    await house.open(house.spool.kept.map(({ envelope }) => envelope));
    expect(await refused()).toBe('c@z.test 550 2');
    await house.later(86_401);
    expect(await refused()).toBe('c@z.test 550 3');
  });
});

test('an acknowledgement that was lost with the connection leads to no second copy', async () => {
  const house = await StreamHouse.with();
  const sender = house.sender();
  await house.until(sender.send(mail(0)));
  for (let round = 1; round <= 20; round++) {
    const sent = sender.send(mail(round));
    await house.world.clock.advance(millis(round % 4));
    for (const pipe of house.world.network.pipes) house.world.network.reset(pipe);
    await house.until(sent);
  }
  const subjects = house.spool.kept.map(({ body }) => /Subject: (\d+)/.exec(body)?.[1]);
  expect(subjects.toSorted()).toEqual([...new Set(subjects)].toSorted());
  expect(subjects).toHaveLength(21);
});

test('a peer that breaks the protocol is told so and costs nobody else anything', async () => {
  const house = await StreamHouse.with();
  const sender = house.sender();
  const pipe = new RawClient(house);
  pipe.write(Buffer.concat([hello(0), raw(1), raw(1)]));
  await house.until(sender.send(mail(1)));
  await house.later(1);
  expect(pipe.frames).toEqual(['welcome 0', 'ack 1', 'bye 1']);
  expect(pipe.isClosed).toBe(true);
  expect(house.lines).toEqual([expect.stringMatching(/^INFO ecstream: \S+ broke the protocol: 503 5\.5\.1/)]);
});

test('a client that says goodbye has all its results first', async () => {
  const house = await StreamHouse.with();
  const pipe = new RawClient(house);
  pipe.write(Buffer.concat([hello(0), raw(1), raw(2), byeFrame(0, 221, '')]));
  await house.later(1);
  expect(pipe.frames.at(0)).toBe('welcome 0');
  expect(pipe.frames.slice(-2)).toEqual(['ack 2', 'bye 2']);
  expect(house.spool.kept).toHaveLength(2);
  expect(pipe.isClosed).toBe(true);
});
