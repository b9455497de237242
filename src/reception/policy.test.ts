import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MailIn, OPEN } from '../../test/dialogues/mail-in.ts';
import { joined } from '../base/index.ts';
import type { Verdict } from '../policy/index.ts';
import { reply } from '../smtp/index.ts';

const NO: Verdict = { kind: 'reject', reply: reply(550, '5.7.1', 'no') };
const YES: Verdict = { kind: 'continue' };
const ENVELOPE = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n';
const BODY = 'Subject: hi\r\n\r\nhello\r\n.\r\n';

/** Promises of hooks are settled after a few turns of the microtask queue. */
async function settle(house: MailIn): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await Promise.resolve();
    house.clock.turn();
  }
}

describe('phases of the session', () => {
  test('a rejected connection hears the reply in the place of the banner', () => {
    const house = new MailIn(OPEN);
    house.policy.hook('validate_connect', 'acl', ({ remote }) =>
      remote.ip === '192.0.2.7' ? { kind: 'reject', reply: reply(554, '5.7.1', 'not you') } : YES,
    );
    const peer = house.connect();
    expect(peer.hears()).toBe('554 5.7.1 not you\r\n');
    expect(peer.ended).toBe(true);
    expect(house.rejections).toMatchObject([
      { phase: 'connect', module: 'acl', remote: '192.0.2.7:40000', local: '127.0.0.1:25', messageContext: {} },
    ]);
  });

  test('MAIL and RCPT are judged with their variables, and a refused one changes nothing', () => {
    const house = new MailIn(OPEN);
    const seen: unknown[] = [];
    house.policy.hook('validate_mailfrom', 'm', ({ reversePath, helo, messageContext }) => {
      seen.push([helo, reversePath, { ...messageContext }]);
      return reversePath === 'bad@x.y' ? NO : YES;
    });
    house.policy.hook('validate_rcptto', 'r', ({ recipient, messageContext }) => {
      messageContext.mark = 'set';
      return recipient === 'bad@x.y' ? NO : YES;
    });
    const peer = house.greeted();
    expect(peer.sends('MAIL FROM:<bad@x.y>\r\nRCPT TO:<b@x.y>\r\n')).toBe(
      '550 5.7.1 no\r\n503 5.5.1 RCPT TO without MAIL FROM\r\n',
    );
    peer.sends('MAIL FROM:<a@X.y>\r\n');
    expect(peer.sends('RCPT TO:<bad@x.y>\r\nDATA\r\n')).toBe('550 5.7.1 no\r\n503 5.5.1 DATA without RCPT TO\r\n');
    expect(seen[1]).toEqual([
      'client.test',
      'a@X.y',
      { mailfrom_string: 'MAIL FROM:<a@X.y>', mailfrom_localpart: 'a', mailfrom_domain: 'x.y' },
    ]);
    expect(house.rejections.map(({ phase, module }) => `${phase}/${module}`)).toEqual([
      'awaiting mailfrom/m',
      'awaiting mailfrom/core',
      'awaiting rcptto/r',
      'awaiting rcptto/core',
    ]);
    expect(house.rejections[2]?.messageContext).toMatchObject({
      mailfrom_domain: 'x.y',
      rcptto_localpart: 'bad',
      mark: 'set',
    });
  });

  test('can_relay set by policy lets the client relay', () => {
    const house = new MailIn();
    house.policy.hook('validate_ehlo', 'x', ({ connectionContext }) => {
      connectionContext.can_relay = 'true';
      return YES;
    });
    const peer = house.greeted();
    expect(peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n')).toBe(
      '250 MAIL FROM accepted\r\n250 RCPT TO accepted.\r\n',
    );
  });

  test('the message dictionary is emptied with the transaction, the connection one stays', () => {
    const house = new MailIn({ ...OPEN, context: { site: 'one' } });
    const seen: unknown[] = [];
    house.policy.hook('validate_mailfrom', 'x', ({ connectionContext, messageContext }) => {
      seen.push([messageContext.mine, connectionContext.mine, connectionContext.site, connectionContext.pathway]);
      messageContext.mine = 'm';
      connectionContext.mine = 'c';
      return YES;
    });
    const peer = house.greeted();
    peer.sends('MAIL FROM:<a@b.c>\r\nRSET\r\nMAIL FROM:<a@b.c>\r\n');
    expect(seen).toEqual([
      [undefined, undefined, 'one', 'default'],
      [undefined, 'c', 'one', 'default'],
    ]);
  });

  test('disconnect is 421 and the end; tarpit holds the reply back', () => {
    const house = new MailIn(OPEN);
    house.policy.hook('validate_mailfrom', 'x', ({ reversePath }) =>
      reversePath === '' ? { kind: 'disconnect' } : { kind: 'tarpit', seconds: 5 },
    );
    const peer = house.greeted();
    expect(peer.sends('MAIL FROM:<a@b.c>\r\n')).toBe('');
    house.clock.pass(5.1);
    expect(peer.hears()).toBe('250 2.1.0 MAIL FROM accepted\r\n');
    expect(peer.sends('RSET\r\nMAIL FROM:<>\r\n')).toBe('250 2.0.0 OK\r\n421 4.4.5 Service unavailable\r\n');
    expect(peer.ended).toBe(true);
  });
});

describe('a policy that waits', () => {
  test('suspends its session only, and what came meanwhile is answered afterwards in one write', async () => {
    const house = new MailIn(OPEN);
    let go: (verdict: Verdict) => void = () => undefined;
    house.policy.hook('validate_mailfrom', 'slow', () => new Promise((resolve) => (go = resolve)));
    const peer = house.greeted();
    const other = house.greeted();
    expect(peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n')).toBe('');
    expect(other.sends('NOOP\r\n')).toBe('250 2.0.0 OK\r\n');
    const writes = peer.writes.length;
    go(YES);
    await settle(house);
    expect(peer.hears()).toBe('250 2.1.0 MAIL FROM accepted\r\n250 2.1.5 RCPT TO accepted.\r\n');
    expect(peer.writes.length).toBe(writes + 1);
  });

  test('pauses a client that goes on sending', async () => {
    const house = new MailIn({ ...OPEN, max_bad_commands: '0' });
    let go: (verdict: Verdict) => void = () => undefined;
    house.policy.hook('validate_ehlo', 'slow', () => new Promise((resolve) => (go = resolve)));
    const peer = house.connect();
    peer.sends(`EHLO x\r\n${'NOOP\r\n'.repeat(20_000)}`);
    expect(peer.paused).toBe(true);
    go(YES);
    await settle(house);
    expect(peer.paused).toBe(false);
    expect(peer.hears().split('\r\n').length).toBeGreaterThan(20_000);
  });

  test('is not missed by a client that has gone: nothing is enqueued', async () => {
    const house = new MailIn(OPEN);
    let go: (verdict: Verdict) => void = () => undefined;
    house.policy.hook('validate_data_spool', 'slow', () => new Promise((resolve) => (go = resolve)));
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.sends(BODY);
    peer.hangsUp();
    go(YES);
    await settle(house);
    expect(house.enqueued).toEqual([]);
    expect(house.spool.kept).toEqual([]);
  });
});

describe('phases of the body', () => {
  test('run in their order, each_rcpt and later ones once for each recipient', async () => {
    const house = new MailIn(OPEN);
    const ran: string[] = [];
    const phases = [
      'core_final_validation',
      'validate_set_binding',
      'validate_data_spool_each_rcpt',
      'validate_data_spool',
    ] as const;
    for (const phase of phases) {
      house.policy.hook(phase, 'x', async ({ recipients, recipient }) => {
        ran.push(`${phase} ${recipient ?? recipients.length}`);
        if (phase === 'validate_set_binding') for (const each of recipients) each.binding = `to-${each.path[0]}`;
        return YES;
      });
    }
    house.policy.hook('validate_data', 'x', () => {
      ran.push('validate_data');
      return YES;
    });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.sends(BODY);
    await settle(house);
    expect(peer.hears()).toMatch(/^250/);
    expect(ran).toEqual([
      'validate_data',
      'validate_data_spool 2',
      'validate_data_spool_each_rcpt b@example.org',
      'validate_data_spool_each_rcpt c@example.org',
      'validate_set_binding b@example.org',
      'validate_set_binding c@example.org',
      'core_final_validation b@example.org',
      'core_final_validation c@example.org',
    ]);
    expect(house.enqueued[0]?.envelope.recipients.map((each) => each.binding)).toEqual(['to-b', 'to-c']);
    expect(house.recorded).toMatchObject([{ binding: 'to-b' }, { binding: 'to-c' }]);
  });

  test('hooks see the body with our Received field, and may refuse it', () => {
    const house = new MailIn(OPEN);
    let body = '';
    house.policy.hook('validate_data_spool', 'x', ({ body: hold }) => {
      const bytes = hold.next(100_000);
      body = bytes === undefined || bytes instanceof Promise ? '' : joined(bytes).toString('latin1');
      return NO;
    });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toBe('550 5.7.1 no\r\n');
    expect(body).toMatch(/^Return-Path: <a@example\.com>\r\nReceived: [\s\S]*Subject: hi\r\n\r\nhello\r\n$/);
    expect(house.spool.discarded).toBe(1);
    expect(peer.sends(ENVELOPE)).toMatch(/354/);
  });

  test('a hook that throws is a soft 451', () => {
    const house = new MailIn(OPEN);
    house.policy.hook('validate_data', 'bad', () => {
      throw new Error('oh');
    });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toBe('451 4.3.0 transaction failed\r\n');
    expect(house.complaints).toHaveLength(1);
  });

  test('discarded mail is acknowledged and nowhere: all of it, one copy, or one recipient', () => {
    for (const [phase, left] of [
      ['validate_data', 0],
      ['validate_data_spool_each_rcpt', 1],
      ['validate_rcptto', 1],
      ['validate_mailfrom', 0],
      ['validate_connect', 0],
    ] as const) {
      const house = new MailIn(OPEN);
      house.policy.hook(phase, 'x', ({ recipient }) =>
        recipient?.startsWith('c') === true ? YES : { kind: 'discard' },
      );
      const peer = house.greeted();
      expect(peer.sends(ENVELOPE)).toMatch(/354/);
      expect(peer.sends(BODY)).toMatch(/^250 2\.0\.0 OK/);
      expect(house.enqueued.flatMap((message) => message.envelope.recipients).length).toBe(left);
    }
  });

  const refusing = (values: Record<string, string>, who: (recipient: string) => boolean): MailIn => {
    const house = new MailIn({ ...OPEN, ...values });
    house.policy.hook('validate_data_spool_each_rcpt', 'x', ({ recipient }) => (who(recipient ?? '') ? NO : YES));
    return house;
  };

  test('a refused recipient of several is taken, to fail in the queue, and has a line in the rejectlog', () => {
    const house = refusing({}, (recipient) => recipient.startsWith('c'));
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toMatch(/^250 2\.0\.0 OK/);
    const recipients = house.enqueued[0]?.envelope.recipients ?? [];
    expect(recipients.map(({ path, refused }) => [path[0], refused?.text])).toEqual([
      ['b', undefined],
      ['c', 'no'],
    ]);
    expect(house.rejections).toMatchObject([{ phase: 'validating body', module: 'x', reply: { code: 550 } }]);
  });

  test('it is left out when generate_bounces_for_multi_recipient_policy_rejections is false', () => {
    const house = refusing({ generate_bounces_for_multi_recipient_policy_rejections: 'false' }, (recipient) =>
      recipient.startsWith('c'),
    );
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toMatch(/^250 2\.0\.0 OK/);
    expect(house.enqueued[0]?.envelope.recipients.map(({ path }) => path[0])).toEqual(['b']);
    expect(house.rejections).toHaveLength(1);
  });

  test('when all recipients are refused so is the message', () => {
    const house = refusing({}, () => true);
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    expect(peer.sends(BODY)).toBe('550 5.7.1 no\r\n');
    expect(house.enqueued).toEqual([]);
    expect(house.rejections).toHaveLength(1);
  });
});

test('an unqualified address gets its domain in the envelope, and keeps its face in header and variables', () => {
  const house = new MailIn({
    ...OPEN,
    domain_for_unqualified_sender_address: 'senders.test',
    domain_for_unqualified_recipient_addresses: 'rcpts.test',
  });
  const peer = house.greeted();
  peer.sends('MAIL FROM:<fred>\r\nRCPT TO:<jim>\r\nDATA\r\n');
  peer.sends(BODY);
  const [kept] = house.spool.kept;
  expect(kept?.envelope.reversePath).toBe('fred@senders.test');
  expect(kept?.envelope.recipients[0]?.path).toBe('jim@rcpts.test');
  expect(kept?.body).toContain('(envelope-from <fred>)');
  expect(kept?.body).toContain('for <jim>');
});

test('<postmaster> is ours', () => {
  const house = new MailIn({ ...OPEN, hostname: 'mail.example.com' });
  const peer = house.greeted();
  peer.sends('MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n');
  peer.sends(BODY);
  expect(house.spool.kept[0]?.envelope.recipients[0]?.path).toBe('Postmaster@mail.example.com');
});

test('a client of a Unix socket counts as loopback', () => {
  const house = new MailIn({ relay_hosts: ['127.0.0.1'] });
  const peer = house.connect({ ip: '', port: 0, path: '/run/in.sock' });
  expect(peer.sends('EHLO x\r\n')).toContain('says EHLO to 127.0.0.1');
  expect(peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n')).toContain('250 RCPT TO accepted.');
});

test('each refusal is one rejection with the state of the session', () => {
  const house = new MailIn({ smtp_extensions: ['ENHANCEDSTATUSCODES'] });
  const peer = house.connect();
  peer.sends('JUNK\r\n');
  peer.sends('EHLO x\r\nJUNK\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n');
  expect(house.rejections.map(({ phase, reply: said }) => `${phase}: ${said.code}`)).toEqual([
    'awaiting ehlo: 500',
    'awaiting mailfrom: 500',
    'relaying denied: 550',
  ]);
  expect(house.rejections[2]).toMatchObject({
    generation: 1,
    pathway: 'default',
    connectionContext: { ehlo_domain: 'x', ehlo_string: 'EHLO x' },
    messageContext: { rcptto_domain: 'e.f' },
  });
});

test('ten thousand random byte streams change nothing but replies', () => {
  const piece = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'EHLO x\r\n',
        'MAIL FROM:<a@b.c>\r\n',
        'RCPT TO:<c@d.e>\r\n',
        'DATA\r\n',
        'A: b\r\n\r\n',
        '\r\n.\r\n',
        '\n',
        'RSET\r\n',
        'QUIT\r\n',
      ),
    },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString('latin1')) },
  );
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 8 }), (chunks) => {
      const house = new MailIn(OPEN);
      const peer = house.connect();
      for (const chunk of chunks) peer.sends(chunk.join(''));
      expect(peer.writes.join('')).toMatch(/^(?:[2-5][0-9]{2}[ -][\x20-\x7e]*\r\n)+$/);
      expect(house.complaints).toEqual([]);
      expect(house.enqueued.length).toBe(house.spool.kept.length);
      peer.hangsUp();
      expect([house.reception.sessions, house.clock.pending]).toEqual([0, 0]);
    }),
    { numRuns: 10_000 },
  );
});
