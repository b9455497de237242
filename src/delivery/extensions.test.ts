import { describe, expect, test } from 'vitest';
import { MailRoom } from '../../test/support/mail-room.ts';
import type { Taken } from '../../test/support/scripted-peer.ts';
import { millis, seconds } from '../base/index.ts';
import type { BodyTraits, EnvelopeRecipient, SenderRequests } from '../message/index.ts';

const PLAIN = ['peer.test', 'PIPELINING'] as const;
const FULL = [...PLAIN, '8BITMIME', 'SMTPUTF8', 'DSN', 'SIZE 0'] as const;
const ASCII = 'Subject: x\r\n\r\nhello\r\n';
const EIGHT: BodyTraits = { dots: false, lone: false, eightBit: true };

interface Mail {
  readonly from?: string;
  readonly requests?: SenderRequests;
  readonly to: readonly (string | Pick<EnvelopeRecipient, 'path' | 'requests' | 'refused'>)[];
  readonly body?: string;
  readonly traits?: BodyTraits;
}

/** A message with all that a sender can ask for. */
function receive(room: MailRoom, mail: Mail): void {
  const to = mail.to.map((each) => (typeof each === 'string' ? { path: each } : each));
  room.receiveAs(
    to.map(({ path }) => path),
    mail.body ?? ASCII,
    mail.traits ?? { dots: false, lone: false },
    (envelope) => ({
      ...envelope,
      reversePath: mail.from ?? envelope.reversePath,
      recipients: envelope.recipients.map((each, index) => ({ ...each, ...to[index] })),
      ...(mail.requests === undefined ? {} : { requests: mail.requests }),
    }),
  );
}

/** The disk takes so long for each slice of a body. */
function slowDown(room: MailRoom, time: number): void {
  const hold = room.spool.hold.bind(room.spool);
  room.spool.hold = (at) => {
    const real = hold(at);
    const next = (): ReturnType<typeof real.next> => {
      const slice = real.next(1000);
      if (slice === undefined) return undefined;
      return new Promise((given) => room.clock.at(millis(room.clock.now() + time * 1000), () => given(slice)));
    };
    return Object.assign(Object.create(real) as typeof real, { next, [Symbol.dispose]: () => real[Symbol.dispose]() });
  };
}

const unstuffed = (mail: Taken): Taken => ({ ...mail, body: mail.body.replace(/^\.\./gm, '.') });

async function delivered(ehlo: readonly string[], mail: Mail, values: Readonly<Record<string, unknown>> = {}) {
  const room = new MailRoom({ global: values });
  const peer = await room.peer('dst.test', '192.0.2.1', { ehlo });
  receive(room, mail);
  await room.later(2);
  expect(room.balance).toBe(0);
  return { taken: peer.taken.map(unstuffed), happened: room.happened(), room };
}

describe('DSN', () => {
  const mail: Mail = {
    requests: { ret: 'HDRS', envid: 'e+2B1' },
    to: [
      { path: 'a@dst.test', requests: { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;old@dst.test' } },
      { path: 'b@dst.test', requests: { notify: [] } },
      'c@dst.test',
    ],
  };

  test('what was asked for is asked of a server that offers it, and nobody is told by us', async () => {
    const { taken, room } = await delivered(FULL, mail);
    expect(taken).toMatchObject([
      {
        from: '<a@src.test> SIZE=21 RET=HDRS ENVID=e+2B1',
        to: [
          '<a@dst.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old@dst.test',
          '<b@dst.test> NOTIFY=NEVER',
          '<c@dst.test>',
        ],
      },
    ]);
    expect(room.told).toEqual([]);
  });

  test('a server without it is asked for nothing, and success that was asked for is told as relayed', async () => {
    const { taken, room } = await delivered(PLAIN, mail);
    expect(taken).toMatchObject([{ from: '<a@src.test>', to: ['<a@dst.test>', '<b@dst.test>', '<c@dst.test>'] }]);
    expect(room.told).toMatchObject([{ recipient: 0, action: 'relayed', outcome: { reply: { code: 250 } } }]);
    expect(room.spool.kept.size).toBe(0);
  });

  test('delays are told to those who asked, at one hour and then ever later, and to nobody else', async () => {
    const room = new MailRoom({ global: { retry_interval: seconds(1200), message_expiration: seconds(86_400) } });
    await room.peer('dst.test', '192.0.2.1', { rcpt: () => '450 4.2.0 not yet' });
    receive(room, { to: [{ path: 'a@dst.test', requests: { notify: ['DELAY'] } }, 'b@dst.test'] });
    const at: number[] = [];
    for (let minute = 0; minute < 12 * 60; minute += 10) {
      await room.later(600);
      for (const notice of room.told.splice(0)) {
        expect(notice).toMatchObject({ recipient: 0, action: 'delayed' });
        at.push(minute);
      }
    }
    // Tries at 0, 20, 60, 140, 300 and 620 minutes; notices are due at 60, 180, 420, 900 minutes.
    expect(at).toEqual([20, 140, 300, 620]);
  });
});

describe('SMTPUTF8', () => {
  const from = 'j\xc3\xbc@src.test';

  test.each([
    ['an address of the sender', { from, to: ['a@dst.test'] }, ' SMTPUTF8'],
    ['an address of a recipient', { to: ['\xc3\xa4@dst.test'] }, ' SMTPUTF8'],
    ['a header', { to: ['a@dst.test'], requests: { utf8Header: true } }, ' SMTPUTF8'],
    ['nothing', { to: ['a@dst.test'] }, ''],
  ] as [string, Mail, string][])('is asked for when %s needs it', async (_, mail, asked) => {
    const { taken } = await delivered(FULL, mail);
    expect(taken[0]?.from.endsWith(`SIZE=21${asked}`)).toBe(true);
  });

  test.each([
    ['a local part', { from, to: ['a@dst.test'] }],
    ['a header', { to: ['a@dst.test'], requests: { utf8Header: true } }],
  ] as [string, Mail][])('without it %s beyond ASCII fails for good', async (_, mail) => {
    const { taken, happened, room } = await delivered(PLAIN, mail);
    expect(taken).toEqual([]);
    expect(happened).toEqual(['permanent a@dst.test 2 0 553 5.6.7 [internal] SMTPUTF8 required but not advertised']);
    expect(room.buried).toHaveLength(1);
  });

  test('one recipient beyond ASCII fails alone, and a domain goes in A-labels', async () => {
    const { taken, happened } = await delivered(PLAIN, {
      from: 'x@b\xc3\xbccher.test',
      to: ['a@dst.test', '\xc3\xa4@dst.test', 'b@dst.test'],
    });
    expect(taken).toMatchObject([{ from: '<x@xn--bcher-kva.test>', to: ['<a@dst.test>', '<b@dst.test>'] }]);
    expect(happened.filter((line) => line.startsWith('permanent'))).toHaveLength(1);
  });

  test('a domain in U-labels and in A-labels is the same queue', async () => {
    const room = new MailRoom();
    const peer = await room.peer('xn--bcher-kva.test', '192.0.2.1', { ehlo: FULL });
    receive(room, { to: ['a@b\xc3\xbccher.test', 'b@XN--bcher-kva.test'] });
    await room.later(2);
    expect(peer.taken).toMatchObject([{ to: ['<a@b\xc3\xbccher.test>', '<b@XN--bcher-kva.test>'] }]);
  });
});

describe('8-bit content', () => {
  const body = 'Subject: x\r\nContent-Type: text/plain\r\n\r\ncaf\xe9 au lait\r\n.\r\n';
  const mail: Mail = { to: ['a@dst.test'], body, traits: { ...EIGHT, dots: true } };
  const encoded =
    'Subject: x\r\nContent-Type: text/plain\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 au lait\r\n.\r\n';

  test('goes as it is to a server with 8BITMIME, and is called so with send_8bitmime = ifavailable only', async () => {
    const silent = await delivered(FULL, mail);
    expect(silent.taken).toMatchObject([{ from: `<a@src.test> SIZE=${body.length}`, body }]);
    const named = await delivered(FULL, mail, { send_8bitmime: 'ifavailable' });
    expect(named.taken).toMatchObject([{ from: `<a@src.test> SIZE=${body.length} BODY=8BITMIME`, body }]);
    const ascii = await delivered(FULL, { to: ['a@dst.test'] }, { send_8bitmime: 'ifavailable' });
    expect(ascii.taken).toMatchObject([{ from: '<a@src.test> SIZE=21' }]);
    const plain = await delivered(PLAIN, mail, { send_8bitmime: 'ifavailable', transform_8bitmime_content: 'no' });
    expect(plain.taken).toMatchObject([{ from: '<a@src.test>', body }]);
  });

  test.each([
    ['ifneeded', encoded],
    ['strict', encoded],
    ['no', body],
    ['strip', body.replace('\xe9', 'i')],
  ])('transform_8bitmime_content = %s for a server without 8BITMIME', async (transform_8bitmime_content, expected) => {
    const { taken } = await delivered([...PLAIN, 'SIZE'], mail, { transform_8bitmime_content });
    expect(taken).toMatchObject([{ from: `<a@src.test> SIZE=${expected.length}`, body: expected }]);
  });

  const signed: Mail = { ...mail, body: `DKIM-Signature: x\r\n${body}` };
  const odd: Mail = { ...mail, body: body.replace('Subject: x', 'Subject: \xe9') };

  test('signed mail is sent unchanged by ifneeded', async () => {
    expect((await delivered(PLAIN, signed)).taken).toMatchObject([{ body: signed.body }]);
  });

  test('what cannot be encoded goes as it is by ifneeded, and fails by strict', async () => {
    expect((await delivered(PLAIN, odd)).taken[0]?.body).toMatch(/^Subject: \xe9\r\n[\s\S]*caf=E9/);
    const { taken, happened, room } = await delivered(PLAIN, odd, { transform_8bitmime_content: 'strict' });
    expect(taken).toEqual([]);
    expect(happened[0]).toMatch(/^permanent a@dst\.test 2 0 554 5\.6\.3 \[internal\]/);
    expect(room.spool.held).toBe(0);
  });

  test('a body that has to be read from the disk is converted all the same, and others wait their turn', async () => {
    const room = new MailRoom({ global: { max_outbound_connections: 1 } });
    room.spool.slow = true;
    const peer = await room.peer('dst.test', '192.0.2.1', { ehlo: PLAIN });
    for (let count = 0; count < 3; count++) receive(room, mail);
    await room.later(3);
    expect(peer.taken.map((each) => unstuffed(each).body)).toEqual([encoded, encoded, encoded]);
    expect([room.balance, room.spool.held, room.spool.kept.size]).toEqual([0, 0, 0]);
  });

  test('a peer that hangs up before a body is ready is not called again at once, nor for ever', async () => {
    const room = new MailRoom({ global: { retry_interval: seconds(600) } });
    room.mx('dst.test', [[10, 'mx.dst.test', '192.0.2.1']]);
    let sessions = 0;
    await room.network.listen({ kind: 'tcp', ip: '192.0.2.1', port: 25 }, { backlog: 1, fileMode: 0 }, (pipe) => {
      sessions++;
      pipe.write([Buffer.from('220 peer.test\r\n')]);
      return {
        data: (chunk) => {
          if (!Buffer.from(chunk).toString().startsWith('EHLO')) return;
          pipe.write([Buffer.from('250 peer.test\r\n')]);
          pipe.end();
        },
        drained: () => undefined,
        closed: () => undefined,
      };
    });
    slowDown(room, 1);
    receive(room, mail);
    await room.later(20);
    expect(room.happened()).toEqual(['transient a@dst.test 2 0 451 4.4.2 [internal] connection closed by remote host']);
    expect([sessions, room.balance, room.spool.held]).toEqual([1, 0, 0]);
  });

  test('a disk that takes longer than idle_timeout is waited for without asking again and again', async () => {
    const room = new MailRoom({ global: { idle_timeout: seconds(2) } });
    const peer = await room.peer('dst.test', '192.0.2.1', { ehlo: PLAIN });
    receive(room, { to: ['b@dst.test'] });
    await room.later(1);
    slowDown(room, 10);
    receive(room, mail);
    let turns = 0;
    room.clock.afterEach = () => {
      if (++turns > 1000) throw new Error('it never rests');
    };
    await room.later(20);
    expect(peer.taken.map((each) => unstuffed(each).body)).toEqual([ASCII, encoded]);
    expect([peer.sessions, room.balance, room.spool.held]).toEqual([1, 0, 0]);
  });
});

test('binary content is converted for every server, or fails', async () => {
  const requests = { body: 'BINARYMIME' } as const;
  const body = 'Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\xff';
  const { taken } = await delivered([...FULL, 'CHUNKING', 'BINARYMIME'], {
    to: ['a@dst.test'],
    requests,
    body,
    traits: EIGHT,
  });
  expect(taken[0]?.body).toBe(
    'Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\nAAr/\r\n',
  );
  const signed =
    'Content-Type: multipart/signed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\n\r\n\0\r\n--b--\r\n';
  const { happened } = await delivered(FULL, { to: ['a@dst.test'], requests, body: signed });
  expect(happened[0]).toMatch(/^permanent a@dst\.test 2 0 554 5\.6\.3/);
});

describe('LIMITS (RFC 9422)', () => {
  const crowd = Array.from({ length: 5 }, (_, index) => `r${index}@dst.test`);

  test('RCPTMAX: no transaction has more recipients', async () => {
    const { taken, happened } = await delivered([...FULL, 'LIMITS RCPTMAX=2'], { to: crowd });
    expect(taken.map(({ to }) => to.length)).toEqual([2, 2, 1]);
    expect(happened).toHaveLength(5);
  });

  test('MAILMAX: no session has more transactions', async () => {
    const room = new MailRoom({ global: { max_outbound_connections: 1 } });
    const peer = await room.peer('dst.test', '192.0.2.1', { ehlo: [...FULL, 'LIMITS MAILMAX=2 RCPTMAX=100'] });
    for (const path of crowd) receive(room, { to: [path] });
    await room.later(3);
    expect([peer.taken.length, peer.sessions]).toEqual([5, 3]);
    expect(room.happened().filter((line) => line.startsWith('delivery'))).toHaveLength(5);
  });

  test('RCPTDOMAINMAX: recipients of other domains have a transaction of their own, uncharged', async () => {
    const room = new MailRoom({ global: { gateway: 'gate.test' } });
    const peer = await room.peer('gate.test', '192.0.2.1', { ehlo: [...FULL, 'LIMITS RCPTDOMAINMAX=1'] });
    receive(room, { to: ['a@one.test', 'b@two.test', 'c@ONE.test'] });
    await room.later(3);
    expect(peer.taken.map(({ to }) => to)).toEqual([['<a@one.test>', '<c@ONE.test>'], ['<b@two.test>']]);
    expect(room.happened().every((line) => line.startsWith('delivery'))).toBe(true);
    expect(room.balance).toBe(0);
  });
});

describe('a black hole', () => {
  test('swallows what is queued without a connection, and says so to the sender', async () => {
    const room = new MailRoom();
    const peer = await room.peer('dst.test', '192.0.2.1', { rcpt: () => '450 4.2.0 no' });
    receive(room, { to: ['a@dst.test'] });
    await room.later(1);
    room.happened();
    const sessions = peer.sessions;
    room.reconfigure({ global: { blackhole: 'internal' } });
    receive(room, { to: ['b@dst.test', 'c@dst.test'] });
    await room.later(2000);
    expect(room.happened().sort()).toEqual([
      'permanent a@dst.test 22 1 554 5.7.0 [internal] Blackholed',
      'permanent b@dst.test 22 0 554 5.7.0 [internal] Blackholed',
      'permanent c@dst.test 22 0 554 5.7.0 [internal] Blackholed',
    ]);
    expect([peer.sessions, room.buried.length, room.balance]).toEqual([sessions, 3, 0]);
  });
});

describe('a recipient whom policy refused while others were taken', () => {
  const refused = { code: 550, enhanced: '5.7.1', text: 'no such luck' };

  test('fails at once, the others are delivered', async () => {
    const { taken, happened, room } = await delivered(FULL, { to: ['a@dst.test', { path: 'b@dst.test', refused }] });
    expect(taken).toMatchObject([{ to: ['<a@dst.test>'] }]);
    expect(happened).toContain('permanent b@dst.test 22 0 550 5.7.1 no such luck');
    expect(room.buried).toMatchObject([{ recipient: 1, reply: refused }]);
  });

  test('is never delivered, even when its bounce cannot be stored for a while', async () => {
    const room = new MailRoom();
    const peer = await room.peer('dst.test', '192.0.2.1', { ehlo: FULL });
    room.burialFails = true;
    receive(room, { to: [{ path: 'b@dst.test', refused }] });
    await room.later(70);
    expect(room.queues.ledger).toMatchObject({ queued: 1, failed: 0 });
    room.burialFails = false;
    await room.later(130);
    expect(room.happened()).toEqual(['permanent b@dst.test 22 0 550 5.7.1 no such luck']);
    expect([peer.taken, room.balance]).toEqual([[], 0]);
  });
});

test('max_recipients_per_connection: so many RCPT commands go over a session, refused ones counted', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 1, max_recipients_per_connection: 3 } });
  const peer = await room.peer('dst.test', '192.0.2.1', {
    ehlo: FULL,
    rcpt: (to) => (to.includes('no') ? '550 5.1.1 no' : '250 ok'),
  });
  receive(room, { to: ['no1@dst.test', 'no2@dst.test', 'a@dst.test', 'b@dst.test', 'c@dst.test'] });
  receive(room, { to: ['d@dst.test', 'e@dst.test'] });
  await room.later(3);
  expect(peer.taken.map(({ to }) => to.length)).toEqual([1, 2, 1, 1]);
  expect([peer.sessions, room.balance]).toEqual([3, 0]);
});
