import { describe, expect, test } from 'vitest';
import { MailIn, OPEN, type Values } from '../../../test/dialogues/mail-in.ts';

const ENVELOPE = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n';
const QUIET = { rfc2822_trace_headers: 'false', rfc2822_messageid_header: 'ignore', rfc2822_date_header: 'ignore' };

/** @returns what is kept of a message, sent whole and byte by byte */
function kept(values: Values, message: string): string {
  const bodies = [false, true].map((slowly) => {
    const house = new MailIn({ ...OPEN, ...values });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    let said = '';
    for (const part of slowly ? [...message, '\r', '\n', '.', '\r', '\n'] : [`${message}\r\n.\r\n`])
      said += peer.sends(part);
    expect(said).toMatch(/^250/);
    return house.spool.kept[0]?.body ?? '';
  });
  expect(bodies[0]).toBe(bodies[1]);
  return bodies[0] ?? '';
}

describe('rfc2822_date_header and rfc2822_messageid_header', () => {
  test('what is missing stands behind the trace fields, and in front of the others', () => {
    expect(kept({}, 'Subject: x\r\n\r\nbody')).toMatch(
      /^Return-Path: <a@example\.com>\r\nReceived: [\s\S]*;\r\n\t[^\r]*\r\nDate: Tue, 03 Mar 2026 10:00:01 \+0000\r\nMessage-ID: <[0-9A-F.]+@mx\.test>\r\nSubject: x\r\n\r\nbody\r\n$/,
    );
  });

  test('what is there stays, in any spelling', () => {
    const message = 'dAtE : now\r\nMESSAGE-id: <1@x>\r\n\r\nbody';
    expect(kept({ rfc2822_trace_headers: 'false' }, message)).toBe(`${message}\r\n`);
  });

  test('ignore adds nothing', () => {
    expect(kept(QUIET, 'Subject: x\r\n\r\nbody')).toBe('Subject: x\r\n\r\nbody\r\n');
  });

  test('a message without Date says so to policy', () => {
    const house = new MailIn({ ...OPEN, ...QUIET });
    const seen: (string | undefined)[] = [];
    house.policy.hook('validate_data', 'x', ({ messageContext }) => {
      seen.push(messageContext.rfc2822_date_missing);
      return { kind: 'continue' };
    });
    const peer = house.greeted();
    for (const date of ['', 'Date: now\r\n']) {
      peer.sends(ENVELOPE);
      peer.sends(`${date}Subject: x\r\n\r\n.\r\n`);
    }
    expect(seen).toEqual(['true', undefined]);
  });
});

describe('rfc2822_trace_headers', () => {
  test('every Return-Path of others is taken out, one of ours is put in', () => {
    const body = kept(
      { rfc2822_date_header: 'ignore', rfc2822_messageid_header: 'ignore' },
      'Return-Path: <x@y>\r\nSubject: x\r\nRETURN-PATH:\r\n <evil@y>\r\nTo: z\r\n\r\nReturn-Path: body',
    );
    expect(body.match(/Return-Path: .*/gi)).toEqual(['Return-Path: <a@example.com>', 'Return-Path: body']);
    expect(body).toMatch(/\r\nSubject: x\r\nTo: z\r\n\r\nReturn-Path: body\r\n$/);
  });

  test('false leaves those of others', () => {
    const message = 'Return-Path: <x@y>\r\nSubject: x\r\n\r\nbody';
    expect(kept(QUIET, message)).toBe(`${message}\r\n`);
  });
});

describe('rfc2822_missing_headers = allow', () => {
  const allow = { rfc2822_missing_headers: 'allow', rfc2822_messageid_header: 'ignore', rfc2822_date_header: 'ignore' };

  test('content that is no header stays content: a blank line parts it from our fields', () => {
    expect(kept(allow, 'just text\r\n\r\nmore')).toMatch(/^Return-Path: [\s\S]*\r\n\r\njust text\r\n\r\nmore\r\n$/);
    expect(kept(allow, '\r\nbody')).toMatch(/\+0000\r\n\r\nbody\r\n$/);
  });

  test('what looks like a field in it is none', () => {
    const body = kept({ ...allow, rfc2822_date_header: 'ifneeded' }, 'text\r\nDate: no field\r\n\r\nmore');
    expect(body).toMatch(/\r\nDate: Tue, [^\r]*\r\n\r\ntext\r\nDate: no field\r\n/);
  });

  test('a header with a line that is no field is taken as it is', () => {
    expect(kept({ ...QUIET, ...allow, rfc2822_trace_headers: 'false' }, 'Subject: x\r\nwhat\r\n\r\nbody')).toBe(
      'Subject: x\r\nwhat\r\n\r\nbody\r\n',
    );
  });
});

describe('rfc2822_max_line_length = fix', () => {
  test('lines are broken in body and header, and a dot that comes to a start is told of', () => {
    const fix = { ...QUIET, rfc2822_max_line_length: '10', rfc2822_max_line_length_policy: 'fix' };
    expect(kept(fix, 'A: bcd efghi\r\n\r\n1234567890.x\r\n12345')).toBe(
      'A: bcd\r\n efghi\r\n\r\n1234567890\r\n.x\r\n12345\r\n',
    );
    const house = new MailIn({ ...OPEN, ...fix });
    const peer = house.greeted();
    peer.sends(ENVELOPE);
    peer.sends('A: b\r\n\r\n1234567890.x\r\n.\r\n');
    expect(house.spool.kept[0]?.traits).toMatchObject({ dots: true });
  });
});

describe('a message that came in chunks', () => {
  const values: Values = { ...OPEN, ...QUIET, smtp_extensions: ['CHUNKING', 'BINARYMIME', 'DSN', 'SMTPUTF8'] };
  const inChunks = (more: Values, mail: string, chunks: readonly string[]) => {
    const house = new MailIn({ ...values, ...more });
    const peer = house.greeted();
    const bdat = chunks.map(
      (chunk, at) => `BDAT ${chunk.length}${at === chunks.length - 1 ? ' LAST' : ''}\r\n${chunk}`,
    );
    const said = peer.sends(`MAIL FROM:<a@b.c>${mail}\r\nRCPT TO:<d@e.f>\r\n${bdat.join('')}`);
    return { house, last: said.split('\r\n').at(-2) ?? '' };
  };

  test('is what the chunks hold, dots and all, and has what DATA would have found', () => {
    const { house } = inChunks({}, '', ['Subject: ', 'x\r\n\r\n..a\r\n', '.\r\n\xff\r\n']);
    expect(house.spool.kept[0]).toMatchObject({
      body: 'Subject: x\r\n\r\n..a\r\n.\r\n\xff\r\n',
      traits: { dots: true, lone: false, eightBit: true },
    });
  });

  test('lone CR and LF are judged by the options, which is how a smuggled end is found', () => {
    const pedantic = { rfc2822_lone_lf_in_body: 'pedantic' };
    expect(inChunks(pedantic, '', ['A: b\r\n\r\nx\n.\r\ny']).last).toBe(
      '550 Lone CR or LF in body (see RFC2822 section 2.3)',
    );
    expect(inChunks({}, '', ['A: b\n\r\n\r\nx']).last).toMatch(/^550 Lone CR or LF in headers/);
    const { house } = inChunks({}, '', ['A: b\r\n\r\nx\r', '\n.\ny']);
    expect(house.spool.kept[0]?.traits).toMatchObject({ lone: true });
  });

  test('binary content is kept byte for byte, whatever the options say of lines', () => {
    const strict = { rfc2822_lone_lf_in_body: 'fix', rfc2822_max_line_length: 'fix' };
    const binary = `A: b\r\n\r\n\0\n\r${'x'.repeat(2000)}\r`;
    const { house } = inChunks(strict, ' BODY=BINARYMIME', [binary]);
    expect(house.spool.kept[0]).toMatchObject({ body: binary, envelope: { requests: { body: 'BINARYMIME' } } });
    expect(house.spool.kept[0]?.traits.lone).toBe(false);
  });

  test('leaves nothing behind when its client goes in the middle', () => {
    const house = new MailIn(values);
    const peer = house.greeted();
    peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nBDAT 20\r\nSubject');
    peer.hangsUp();
    expect([house.spool.discarded, house.enqueued.length, house.slotsGivenBack]).toEqual([1, 0, 1]);
  });
});

test('what was asked of DSN and SMTPUTF8 is kept with the message', () => {
  const house = new MailIn({ ...OPEN, ...QUIET, smtp_extensions: ['DSN', 'SMTPUTF8'] });
  const peer = house.greeted();
  peer.sends(
    'MAIL FROM:<j\xc3\xbc@b.c> SMTPUTF8 RET=HDRS ENVID=e+2B1 BODY=8BITMIME\r\n' +
      'RCPT TO:<d@e.f> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;d@old\r\nRCPT TO:<g@e.f> NOTIFY=NEVER\r\nRCPT TO:<h@e.f>\r\nDATA\r\n',
  );
  peer.sends('Subject: \xc3\xbc\r\n\r\nx\r\n.\r\n');
  const envelope = house.enqueued[0]?.envelope;
  expect(envelope?.reversePath).toBe('j\xc3\xbc@b.c');
  expect(envelope?.requests).toEqual({ ret: 'HDRS', envid: 'e+2B1', utf8Header: true });
  expect(envelope?.recipients.map(({ requests }) => requests)).toEqual([
    { notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;d@old' },
    { notify: [] },
    undefined,
  ]);
});

test('a message in UTF-8 is received with UTF8SMTP', () => {
  const house = new MailIn({ ...OPEN, smtp_extensions: ['SMTPUTF8'] });
  const peer = house.greeted();
  peer.sends('MAIL FROM:<j\xc3\xbc@b.c> SMTPUTF8\r\nRCPT TO:<d@e.f>\r\nDATA\r\n');
  peer.sends('Subject: x\r\n\r\nx\r\n.\r\n');
  expect(house.spool.kept[0]?.body).toMatch(/^Return-Path: <j\xc3\xbc@b\.c>\r\n[\s\S]* with UTF8SMTP id /);
});

test('a client that goes while policy thinks has sent nothing', async () => {
  const house = new MailIn({ ...OPEN, ...QUIET });
  let answer: (() => void) | undefined;
  house.policy.hook(
    'validate_data',
    'slow',
    () => new Promise((resolve) => (answer = () => resolve({ kind: 'continue' }))),
  );
  const peer = house.greeted();
  peer.sends(ENVELOPE);
  peer.sends('Subject: x\r\n\r\nx\r\n.\r\n');
  peer.hangsUp();
  answer?.();
  await Promise.resolve();
  await Promise.resolve();
  house.clock.turn();
  expect([house.enqueued.length, house.spool.kept.length, house.spool.discarded]).toEqual([0, 0, 1]);
});

test('received_hostname names us in Received and Message-ID', () => {
  const body = kept({ received_hostname: 'in.test', hostname: 'mx.other' }, 'Subject: x\r\n\r\nx');
  expect(body).toMatch(/\r\n\tby in\.test \(envelope-from <a@example\.com>\)\r\n/);
  expect(body).toMatch(/\r\nMessage-ID: <[0-9A-F.]+@in\.test>\r\n/);
});
