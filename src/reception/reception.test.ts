import { describe, expect, test } from 'vitest';
import { MailIn, OPEN } from '../../test/dialogues/mail-in.ts';
import { millis } from '../base/index.ts';
import { type Envelope, nullId } from '../message/index.ts';
import { reply } from '../smtp/index.ts';

const ENVELOPE = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n';
/** Nothing is added to the header. */
const AS_IT_IS = {
  rfc2822_trace_headers: 'false',
  rfc2822_date_header: 'ignore',
  rfc2822_messageid_header: 'ignore',
};
const BODY = 'Subject: hi\r\n\r\nhello\r\n.\r\n';

describe('a message', () => {
  test('is spooled with its Received field, announced, enqueued, and then acknowledged', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    expect(peer.sends(ENVELOPE)).toBe(
      '250 2.1.0 MAIL FROM accepted\r\n250 2.1.5 RCPT TO accepted.\r\n354 continue.  finished with "\\r\\n.\\r\\n"\r\n',
    );
    expect(peer.sends(BODY)).toMatch(/^250 2\.0\.0 OK [0-9A-F/-]{20}\r\n$/);
    const [kept] = house.spool.kept;
    const [message] = house.enqueued;
    expect(kept?.body).toMatch(
      /^Return-Path: <a@example\.com>\r\nReceived: from \[192\.0\.2\.7\] \(\[192\.0\.2\.7\]:40000 helo=client\.test\)\r\n/,
    );
    expect(kept?.body).toMatch(
      /with ESMTP id [0-9A-F/-]{20}\r\n\tfor <b@example.org>;\r\n[^\r]*\r\nDate: .*\r\nMessage-ID: <[^>]*@mx\.test>\r\nSubject: hi\r\n\r\nhello\r\n$/,
    );
    expect(kept?.envelope).toMatchObject({
      reversePath: 'a@example.com',
      protocol: 'esmtp',
      peer: '192.0.2.7',
      size: kept?.body.length,
    });
    expect(message).toMatchObject({ at: 1, traits: { dots: false, lone: false } });
    expect(message?.envelope.recipients).toEqual([
      { id: message?.envelope.batchId, path: 'b@example.org', binding: 'default' },
    ]);
    expect(house.recorded).toMatchObject([
      { kind: 'reception', sender: 'a@example.com', recipient: 'b@example.org', size: kept?.body.length },
    ]);
  });

  test('the 250 does not leave before the spool has the message', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.host?.data(Buffer.from(BODY));
    expect(peer.hears()).toBe('');
    expect(house.enqueued).toEqual([]);
    house.clock.turn();
    expect(peer.hears()).toMatch(/^250 2\.0\.0 OK/);
  });

  test('each recipient has an id of its own, the first that of the batch', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.sends('MAIL FROM:<>\r\nRCPT TO:<b@x.org>\r\nRCPT TO:<c@y.org>\r\nDATA\r\n');
    peer.sends(BODY);
    const ids = house.enqueued[0]?.envelope.recipients.map((each) => each.id) ?? [];
    expect(ids[0]).toBe(house.enqueued[0]?.envelope.batchId);
    expect(new Set(ids).size).toBe(2);
    expect(house.recorded.map((event) => event.kind)).toEqual(['reception', 'reception']);
    expect(house.spool.kept[0]?.body).not.toContain('for <');
  });

  test('a full spool is 452, a broken one 451, and the session goes on', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    house.spool.fails = 'IMP_SPOOL_FULL';
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toBe('452 4.3.1 insufficient system storage\r\n');
    house.spool.fails = 'IMP_SPOOL_WRITE';
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toBe('451 4.3.0 transaction failed\r\n');
    house.spool.fails = undefined;
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toMatch(/^250/);
    expect(house.enqueued).toHaveLength(1);
    expect(house.rejections.map((each) => each.phase)).toEqual(['validating body', 'validating body']);
  });

  test('a client that hangs up before the final dot leaves nothing behind', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.sends(`${ENVELOPE}`);
    peer.sends('Subject: half');
    peer.hangsUp();
    expect([house.spool.discarded, house.enqueued.length, house.slotsGivenBack, house.reception.sessions]).toEqual([
      1, 0, 1, 0,
    ]);
    expect(house.clock.pending).toBe(0);
  });

  test('one that hangs up while the spool writes is delivered all the same', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.host?.data(Buffer.from(BODY));
    peer.host?.closed();
    house.clock.turn();
    expect(house.enqueued).toHaveLength(1);
    expect(peer.hears()).toBe('');
  });

  test('above max_message_size it is refused at the dot, exactly at the limit it is not', () => {
    const house = new MailIn({ ...OPEN, max_message_size: '20' });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    expect(peer.sends(`A: b\r\n\r\n${'x'.repeat(10)}\r\n.\r\n`)).toMatch(/^250/);
    peer.sends(ENVELOPE);
    expect(peer.sends(`A: b\r\n\r\n${'x'.repeat(11)}\r\n.\r\n`)).toBe('552 5.3.4 message size limit exceeded\r\n');
    expect(house.spool.discarded).toBe(1);
    expect(peer.sends('MAIL FROM:<a@b.c> SIZE=21\r\n')).toBe('552 5.3.4 message size limit exceeded\r\n');
  });

  test('with 100 Received fields it is a loop', () => {
    for (const [count, code] of [
      [99, '250'],
      [100, '554'],
    ] as const) {
      const house = new MailIn(OPEN);
      const peer = house.greeted();
      peer.sends(ENVELOPE);
      const header = 'received : by x\r\n\tfolded\r\n'.repeat(count);
      expect(peer.sends(`${header}Subject: x\r\n\r\n${header}.\r\n`).slice(0, 3)).toBe(code);
    }
  });

  test('rfc2822_trace_headers = false adds nothing', () => {
    const house = new MailIn({ ...OPEN, ...AS_IT_IS });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.sends(BODY);
    expect(house.spool.kept[0]?.body).toBe('Subject: hi\r\n\r\nhello\r\n');
  });
});

describe('lone CR and LF', () => {
  const send = (
    values: Readonly<Record<string, string>>,
    body: string,
  ): { readonly said: string; readonly house: MailIn } => {
    const house = new MailIn({ ...OPEN, ...AS_IT_IS, ...values });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    return { said: peer.sends(`${body}\r\n.\r\n`), house };
  };

  test.each([
    ['A: b\nC: d\r\n\r\nx', '550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)'],
    ['A: b\rx\r\n\r\nx', '550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)'],
    ['A: b\r\n\nx', '550 5.6.0 Header not terminated by CR LF (see RFC2822 section 2.2)'],
    ['A: b\nx', '550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)'],
  ])('%j is refused by default', (body, said) => {
    expect(send({}, body).said).toBe(`${said}\r\n`);
  });

  test('in a body they are kept and flagged by default', () => {
    const { house } = send({}, 'A: b\r\n\r\nx\ny\rz');
    expect(house.spool.kept[0]).toMatchObject({ traits: { dots: false, lone: true }, body: 'A: b\r\n\r\nx\ny\rz\r\n' });
  });

  test('in a body they are refused when pedantic', () => {
    expect(send({ rfc2822_lone_lf_in_body: 'pedantic' }, 'A: b\r\n\r\nx\ny').said).toMatch(
      /^550 5\.6\.0 Lone CR or LF in body/,
    );
    expect(send({ rfc2822_lone_lf_in_body: 'pedantic' }, 'A: b\r\n\r\nx').said).toMatch(/^250/);
  });

  test('they are made CRLF where the option says fix, and new dots are flagged', () => {
    const fixed = { rfc2822_lone_lf_in_headers: 'fix', rfc2822_lone_lf_in_body: 'fix' };
    expect(send(fixed, 'A: b\nC: d\r\rx\n.y\r').house.spool.kept[0]).toMatchObject({
      traits: { dots: true, lone: false },
      body: 'A: b\r\nC: d\r\n\r\nx\r\n.y\r\n\r\n',
    });
    const mixed = { rfc2822_lone_lf_in_headers: 'fix' };
    expect(send(mixed, 'A: b\n\r\nx\ny').house.spool.kept[0]).toMatchObject({
      traits: { lone: true },
      body: 'A: b\r\n\r\nx\ny\r\n',
    });
    const strict = { rfc2822_lone_lf_in_headers: 'fix', rfc2822_lone_lf_in_body: 'pedantic' };
    expect(send(strict, 'A: b\n\r\nx').house.spool.kept[0]).toMatchObject({
      traits: { lone: false },
      body: 'A: b\r\n\r\nx\r\n',
    });
    expect(send(strict, 'A: b\n\r\nx\ny').said).toMatch(/^550 5\.6\.0 Lone CR or LF in body/);
  });
});

describe('configuration that moves', () => {
  test('a change that the client can see is a 421 at the next MAIL FROM or RSET', () => {
    for (const command of ['MAIL FROM:<a@b.c>', 'RSET']) {
      const house = new MailIn(OPEN);
      const peer = house.greeted();
      house.commit({ ...OPEN, max_message_size: '100' });
      expect(peer.sends(`${command}\r\n`)).toBe('421 4.3.2 Reconfiguration in progress\r\n');
      expect(peer.ended).toBe(true);
    }
  });

  test('a change that it cannot see leaves it alone, and its transaction in any case', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    house.commit(OPEN);
    peer.sends(ENVELOPE);
    house.commit({});
    expect(peer.sends(BODY)).toMatch(/^250/);
  });

  test('with reconfig_disconnect = always every commit ends the session, as in Momentum', () => {
    for (const command of ['MAIL FROM:<a@b.c>', 'RSET']) {
      const always = { ...OPEN, reconfig_disconnect: 'always' };
      const house = new MailIn(always);
      const peer = house.greeted();
      expect(peer.sends('RSET\r\n')).toMatch(/^250/);
      house.commit(always);
      expect(house.reception.movedBy(house.configuration.current)).toBe(1);
      expect(peer.sends(`${command}\r\n`)).toBe('421 4.3.2 Reconfiguration in progress\r\n');
    }
  });

  test('reconfig_message is said instead', () => {
    const house = new MailIn({ ...OPEN, reconfig_message: 'come again' });
    const peer = house.greeted();
    house.commit({});
    expect(peer.sends('RSET\r\n')).toBe('421 come again\r\n');
  });
});

describe('the generation in events', () => {
  test('of a reception and of rejections is that of the session, whatever was committed meanwhile', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    house.commit(OPEN);
    peer.sends(ENVELOPE);
    house.commit({ ...OPEN, max_message_size: '100' });
    peer.sends('X: RCPT TO:<nobody>\r\n');
    expect(peer.sends(BODY)).toMatch(/^250/);
    expect(peer.sends('MAIL FROM:<a@b.c>\r\n')).toMatch(/^421/);
    expect(house.configuration.current.number).toBe(3);
    const told = house.recorded.map(({ kind, generation }) => `${kind} ${generation}`);
    expect(told).toContain('reception 2');
    expect(told.filter((line) => !line.endsWith(' 2'))).toEqual([]);
    expect(told).toContain('rejection 2');
  });
});

test('who would be closed by a generation that is not live is known before', () => {
  const house = new MailIn(OPEN);
  house.greeted();
  house.greeted();
  const live = house.configuration.current;
  expect(house.reception.movedBy(live)).toBe(0);
  house.commit(OPEN);
  const same = house.configuration.current;
  house.commit({ ...OPEN, max_message_size: '100' });
  const other = house.configuration.current;
  house.configuration.current = live;
  expect([house.reception.movedBy(same), house.reception.movedBy(other)]).toEqual([0, 2]);
});

describe('limits', () => {
  test('recipients for each message and for each connection', () => {
    const house = new MailIn({ ...OPEN, max_recipients_per_message: '1', max_recipients_per_connection: '2' });
    const peer = house.greeted();
    expect(peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<1@b.c>\r\nRCPT TO:<2@b.c>\r\nRSET\r\n')).toMatch(
      /250 2\.1\.5 .*\r\n452 4\.5\.3 Service unavailable, recipients per message limit reached\r\n/,
    );
    peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<1@b.c>\r\nRSET\r\n');
    expect(peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<1@b.c>\r\n')).toMatch(
      /452 4\.5\.3 Service unavailable, recipients per connection limit reached/,
    );
  });

  test('receptions for each connection end it', () => {
    const house = new MailIn({ ...OPEN, max_receptions_per_connection: '1' });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.sends(BODY);
    expect(peer.sends(ENVELOPE)).toBe('421 4.5.3 Service unavailable, batch limit reached\r\n');
    expect(peer.ended).toBe(true);
  });

  test('too little memory refuses the next transaction and ends the session; the one that is open goes on', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    house.pressure.exceeded = true;
    expect(peer.sends(BODY)).toMatch(/^250 /);
    expect(peer.sends(ENVELOPE)).toBe('421 4.3.4 allocated resources exceeded\r\n');
    expect(peer.ended).toBe(true);
  });

  test('idle_time ends a session without a rejection, and does not run while we work', () => {
    const house = new MailIn({ ...OPEN, idle_time: '10' });
    const peer = house.greeted();
    house.clock.pass(9);
    peer.sends('NOOP\r\n');
    house.clock.pass(9.9);
    expect(peer.hears()).toBe('');
    house.clock.pass(0.2);
    expect(peer.hears()).toBe('421 4.4.2 mx.test idle timeout\r\n');
    expect([peer.ended, house.rejections.length]).toEqual([true, 0]);
  });

  test('while the spool is behind the pipe is paused, and the client is not idle', () => {
    const house = new MailIn({ ...OPEN, idle_time: '10' });
    house.spool.behindAfter = 400;
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.sends(`A: b\r\n\r\n${'x'.repeat(400)}`);
    expect(peer.paused).toBe(true);
    house.clock.pass(60);
    expect(peer.ended).toBe(false);
    house.spool.drafts[0]?.drained?.();
    expect(peer.paused).toBe(false);
    house.clock.pass(11);
    expect(peer.hears()).toBe('421 4.4.2 mx.test idle timeout\r\n');
  });

  test('a client that does not read is not read from', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.slow = true;
    peer.sends('NOOP\r\n');
    expect(peer.paused).toBe(true);
    peer.host?.drained();
    expect(peer.paused).toBe(false);
  });
});

describe('the end of the server', () => {
  test('idle sessions are told at once, a transaction is finished first', async () => {
    const house = new MailIn(OPEN);
    const idle = house.greeted();
    const busy = house.greeted();
    busy.sends(ENVELOPE);
    let done = false;
    const closed = house.reception.close(1000).then(() => (done = true));
    house.clock.turn();
    expect(idle.hears()).toMatch(/^421 4\.3\.2 /);
    expect(busy.hears()).toBe('');
    await Promise.resolve();
    expect(done).toBe(false);
    expect(busy.sends(BODY)).toMatch(/^250 2\.0\.0 OK .*\r\n421 4\.3\.2 /);
    await closed;
    expect(house.enqueued).toHaveLength(1);
    expect(house.connect().hears()).toMatch(/^421 4\.3\.2 /);
  });

  test('a client that never ends its transaction does not keep the server for ever', () => {
    const house = new MailIn(OPEN);
    const slow = house.greeted();
    slow.sends(ENVELOPE);
    let done = false;
    void house.reception.close(1000).then(() => (done = true));
    house.clock.turn();
    house.clock.pass(0.9);
    expect(slow.hears()).toBe('');
    expect(slow.ended).toBe(false);
    house.clock.pass(0.1);
    expect(slow.hears()).toMatch(/^421 4\.3\.2 /);
    expect(slow.ended).toBe(true);
    expect(done).toBe(false);
  });

  test('a client that closes its half still hears its replies', () => {
    const house = new MailIn(OPEN);
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.host?.data(Buffer.from(BODY));
    peer.host?.ended?.();
    expect(peer.ended).toBe(false);
    house.clock.turn();
    expect(peer.hears()).toMatch(/^250/);
    expect(peer.ended).toBe(true);
  });
});

test('a bug of ours costs one session', () => {
  const house = new MailIn(OPEN);
  const peer = house.greeted();
  Object.defineProperty(house.configuration, 'current', {
    get() {
      throw new Error('oops');
    },
  });
  expect(peer.sends('MAIL FROM:<a@b.c>\r\n')).toBe('421 4.3.0 Resource limitations, please try later\r\n');
  expect(house.complaints[0]).toMatch(/^CRITICAL reception: .*oops/);
  expect(peer.ended).toBe(true);
});

describe('mail of our own', () => {
  const envelope: Envelope = {
    batchId: nullId,
    connectionId: nullId,
    receivedAt: millis(5),
    reversePath: '',
    protocol: 'internal',
    peer: '',
    size: 0,
    recipients: [{ id: nullId, path: 'x@y.z', binding: 'default' as never }],
    context: { connection: {}, message: {} },
  };

  test('is durable, announced and enqueued when inject resolves', async () => {
    const house = new MailIn();
    const draft = house.spool.draft();
    draft.append([Buffer.from('Subject: x\r\n\r\n')]);
    const injected = house.reception.inject(envelope, { dots: false, lone: false }, draft);
    await Promise.resolve();
    house.clock.turn();
    expect(await injected).toBe(1);
    expect(house.enqueued[0]?.envelope.size).toBe(14);
    expect(house.recorded).toMatchObject([{ kind: 'reception', protocol: 'internal' }]);
  });

  test('takes its binding from policy, and may be refused by it', async () => {
    const house = new MailIn();
    house.policy.hook('validate_set_binding', 'test', ({ recipients }) => {
      for (const each of recipients) each.binding = 'b1';
      return { kind: 'continue' };
    });
    const injected = house.reception.inject(envelope, { dots: false, lone: false }, house.spool.draft());
    await Promise.resolve();
    await Promise.resolve();
    house.clock.turn();
    await injected;
    expect(house.enqueued[0]?.envelope.recipients[0]?.binding).toBe('b1');
    house.policy.hook('core_final_validation', 'test', () => ({ kind: 'reject', reply: reply(550, '5.7.1', 'no') }));
    await expect(house.reception.inject(envelope, { dots: false, lone: false }, house.spool.draft())).rejects.toThrow(
      'refused by policy: 550 no',
    );
  });

  test('a spool that fails rejects', async () => {
    const house = new MailIn();
    house.spool.fails = 'IMP_SPOOL_FULL';
    const injected = house.reception.inject(envelope, { dots: false, lone: false }, house.spool.draft());
    await Promise.resolve();
    house.clock.turn();
    await expect(injected).rejects.toMatchObject({ code: 'IMP_SPOOL_FULL' });
    expect(house.enqueued).toEqual([]);
  });
});
