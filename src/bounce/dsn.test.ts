import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { reply } from '../smtp/index.ts';
import { SimChance } from '../world/sim/index.ts';
import { type DsnFailure, type DsnParts, writeDsn } from './dsn.ts';

const refused: DsnFailure = {
  recipient: 'ann@dest.test',
  reply: reply(550, '5.1.1', 'no such user'),
  remoteReply: reply(550, '5.1.1', 'no such user'),
  host: 'mx.dest.test',
  address: '198.51.100.25',
  lastAttemptAt: millis(1_700_000_090_000),
};

const usual: DsnParts = {
  hostname: 'mx.test',
  from: 'mailer-daemon@mx.test',
  to: 'news@sender.test',
  messageId: '<C2.10.00812.001F3556@mx.test>',
  date: millis(1_700_000_090_000),
  arrivedAt: millis(1_700_000_000_000),
  action: 'failed',
  failures: [refused],
  original: { kind: 'headers', bytes: Buffer.from('Message-ID: <1@sender.test>\r\nSubject: hello\r\n') },
  chance: new SimChance(7),
};

const written = (changes: Partial<DsnParts> = {}) => {
  const dsn = writeDsn({ ...usual, ...changes });
  const bytes = joined(dsn.segments);
  expect(dsn.size).toBe(bytes.length);
  return { ...dsn, bytes, text: bytes.toString('latin1') };
};

/** The parts between the boundaries, each as header lines and content. */
function parts(text: string): { readonly header: string; readonly content: string }[] {
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? '';
  const pieces = text.split(`\r\n--${boundary}`);
  expect(pieces.at(-1)).toBe('--\r\n');
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    return { header: piece.slice(2, end), content: piece.slice(end + 4) };
  });
}

test('the report is from the mailer daemon to the sender, and says that it is automatic', () => {
  const { text } = written();
  const header = text.slice(0, text.indexOf('\r\n\r\n'));
  expect(header.split('\r\n')).toEqual([
    'Date: Tue, 14 Nov 2023 22:14:50 +0000',
    'From: Mail Delivery System <mailer-daemon@mx.test>',
    'To: <news@sender.test>',
    'Subject: Delivery failed',
    'Message-ID: <C2.10.00812.001F3556@mx.test>',
    'In-Reply-To: <1@sender.test>',
    'References: <1@sender.test>',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    expect.stringMatching(/^\tboundary="=_[0-9a-f]{24}_0"$/),
  ]);
});

test('the delivery status has the fields of RFC 3464', () => {
  const [, status] = parts(written().text);
  expect(status?.header).toBe('Content-Type: message/delivery-status');
  expect(status?.content).toBe(
    'Reporting-MTA: dns; mx.test\r\n' +
      'Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n' +
      '\r\n' +
      'Final-Recipient: rfc822; ann@dest.test\r\n' +
      'Action: failed\r\n' +
      'Status: 5.1.1\r\n' +
      'Remote-MTA: dns; mx.dest.test\r\n' +
      'Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n' +
      'Last-Attempt-Date: Tue, 14 Nov 2023 22:14:50 +0000\r\n',
  );
});

test('people read who did not get it and what the server answered', () => {
  const [description] = parts(written().text);
  expect(description?.header).toBe('Content-Type: text/plain; charset=utf-8');
  expect(description?.content).toContain(
    '  <ann@dest.test>\r\n    The server mx.dest.test [198.51.100.25] answered:\r\n      550 5.1.1 no such user\r\n',
  );
});

test('an expired message has our reason, and the last answer of the server for Diagnostic-Code', () => {
  const expired = {
    ...refused,
    reply: reply(554, '5.4.7', '[internal] exceeded max time without delivery'),
    remoteReply: reply(451, '4.3.0', 'not now'),
  };
  const [description, status] = parts(written({ failures: [expired] }).text);
  expect(description?.content).toContain(
    '    Reason:\r\n      554 5.4.7 [internal] exceeded max time without delivery\r\n    The last answer was:\r\n      451 4.3.0 not now\r\n',
  );
  expect(status?.content).toContain('Status: 5.4.7\r\n');
  expect(status?.content).toContain('Diagnostic-Code: smtp; 451 4.3.0 not now\r\n');
});

test('what was never tried names no server and no attempt', () => {
  const [, status] = parts(
    written({ failures: [{ ...refused, host: '', address: '', lastAttemptAt: undefined }] }).text,
  );
  expect(status?.content).not.toMatch(/Remote-MTA|Last-Attempt-Date/);
});

test('recipients that failed together share one report with a block for each', () => {
  const [description, status] = parts(
    written({ failures: [refused, { ...refused, recipient: 'bob@dest.test', reply: reply(552, undefined, 'full') }] })
      .text,
  );
  expect(description?.content).toContain('these addresses');
  const blocks = status?.content.split('\r\n\r\n') ?? [];
  expect(blocks).toHaveLength(3);
  expect(blocks[2]).toContain('Final-Recipient: rfc822; bob@dest.test\r\nAction: failed\r\nStatus: 5.0.0');
});

test('bounces_inline_original: nothing, the header, or all of the message', () => {
  expect(parts(written({ original: { kind: 'none' } }).text)).toHaveLength(2);
  const [, , header] = parts(written().text);
  expect(header).toEqual({
    header: 'Content-Type: text/rfc822-headers',
    content: 'Message-ID: <1@sender.test>\r\nSubject: hello\r\n',
  });
  const message = 'Subject: hello\r\n\r\nbody\r\n.dot\r\n';
  const all = written({ original: { kind: 'all', bytes: Buffer.from(message) } });
  expect(parts(all.text)[2]).toEqual({ header: 'Content-Type: message/rfc822', content: message });
  expect(all.traits).toEqual({ dots: true, lone: false });
});

test('in a quoted message a long header line is folded and a long body line broken', () => {
  const bytes = Buffer.from(`Subject: ${'s'.repeat(1200)}\n\n${'b'.repeat(1200)}\n`);
  const content = parts(written({ original: { kind: 'all', bytes } }).text)[2]?.content ?? '';
  const [head = '', body = ''] = content.split('\r\n\r\n');
  expect(head.split('\r\n')[1]).toMatch(/^ s+$/);
  expect(body.split('\r\n')[1]).toMatch(/^b+$/);
});

test('8-bit content is announced at the part and at the whole', () => {
  const { text } = written({ original: { kind: 'headers', bytes: Buffer.from('Subject: grüße\r\n') } });
  expect(text.slice(0, text.indexOf('\r\n\r\n'))).toContain('Content-Transfer-Encoding: 8bit');
  expect(parts(text)[2]?.header).toBe('Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit');
});

test('the answer of a server in UTF-8 is read by people, and is ASCII in the status', () => {
  const text = Buffer.from('Empfänger unbekannt', 'utf8').toString('latin1');
  const { bytes } = written({
    failures: [{ ...refused, reply: reply(550, undefined, text), remoteReply: reply(550, undefined, text) }],
  });
  expect(bytes.toString('utf8')).toContain('550 Empfänger unbekannt');
  expect(bytes.toString('latin1')).toContain('Diagnostic-Code: smtp; 550 Empf??nger unbekannt\r\n');
});

test('an address beyond ASCII is written as RFC 6533 has it', () => {
  const recipient = Buffer.from('jörg@dest.test', 'utf8').toString('latin1');
  expect(parts(written({ failures: [{ ...refused, recipient }] }).text)[1]?.content).toContain(
    'Final-Recipient: utf-8; j\\x{F6}rg@dest.test\r\n',
  );
});

test('a boundary that occurs in the message is not taken', () => {
  const first = /boundary="([^"]+)"/.exec(written({ chance: new SimChance(5) }).text)?.[1] ?? '';
  const { text } = written({
    chance: new SimChance(5),
    original: { kind: 'headers', bytes: Buffer.from(`X: ${first}\r\n`) },
  });
  expect(/boundary="([^"]+)"/.exec(text)?.[1]).not.toBe(first);
  expect(parts(text)).toHaveLength(3);
});

test('nothing that a peer or the sender wrote can add a field or end a part', () => {
  const evil = fc.string({ unit: 'binary', maxLength: 300 }).map((text) => `${text}\r\nX-Forged: 1\r\n\r\n--`);
  fc.assert(
    fc.property(evil, evil, evil, (one, two, header) => {
      const failure = {
        ...refused,
        recipient: one,
        host: two,
        reply: reply(550, undefined, one),
        remoteReply: reply(550, undefined, two),
      };
      const { text } = written({
        failures: [failure],
        to: two,
        original: { kind: 'headers', bytes: Buffer.from(header) },
      });
      const all = parts(text);
      expect(all).toHaveLength(3);
      expect(text.slice(0, text.indexOf('\r\n\r\n'))).not.toMatch(/^X-Forged/m);
      expect(all[1]?.content).not.toMatch(/^X-Forged/m);
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
      for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
    }),
  );
});

const reader = `
import sys, json, email, email.policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
def parts(m):
    return [p.get_content_type() for p in m.iter_parts()] if m.is_multipart() else []
status = message.get_payload()[1]
print(json.dumps({
  "type": message.get_content_type(), "report": message.get_param("report-type"), "from": message["from"], "to": message["to"],
  "parts": parts(message), "defects": [str(d) for p in message.walk() for d in p.defects],
  "text": message.get_payload()[0].get_content(),
  "status": [{k.lower(): v for k, v in block.items()} for block in status.get_payload()],
  "subject": message.get_payload()[2].get_payload(0)["subject"] if message.get_payload()[2].is_multipart() else None,
}))
`;

test('the email package of Python reads the report without a defect', () => {
  const original = { kind: 'all', bytes: Buffer.from('Subject: hello\r\n\r\nbody\r\n') } as const;
  const failures = [refused, { ...refused, recipient: 'bob@dest.test' }];
  const { bytes } = written({ failures, original });
  const ran = spawnSync('python3', ['-c', reader], { input: bytes, encoding: 'utf8' });
  // A machine without Python is no reason to fail: the tests above check the same structure.
  if (ran.error !== undefined) return;
  expect(ran.stderr).toBe('');
  const read = JSON.parse(ran.stdout) as Record<string, unknown>;
  expect(read).toMatchObject({
    type: 'multipart/report',
    report: 'delivery-status',
    from: 'Mail Delivery System <mailer-daemon@mx.test>',
    to: 'news@sender.test',
    parts: ['text/plain', 'message/delivery-status', 'message/rfc822'],
    defects: [],
    subject: 'hello',
  });
  expect(read.text).toContain('<bob@dest.test>');
  expect(read.status).toMatchObject([
    { 'reporting-mta': 'dns; mx.test', 'arrival-date': 'Tue, 14 Nov 2023 22:13:20 +0000' },
    {
      'final-recipient': 'rfc822; ann@dest.test',
      action: 'failed',
      status: '5.1.1',
      'remote-mta': 'dns; mx.dest.test',
    },
    { 'final-recipient': 'rfc822; bob@dest.test', 'diagnostic-code': 'smtp; 550 5.1.1 no such user' },
  ]);
});
