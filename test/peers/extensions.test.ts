import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { Client } from '../end-to-end/client.ts';
import { eventually, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { need } from './peers.ts';
import { PostfixServer } from './postfix-relay.ts';

const MOST = { timeout: 360_000 };

/** What the harness says of the listener, with all extensions. */
const extended = (port: number): string =>
  `ESMTP_Listener { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" "SMTPUTF8" "CHUNKING" "BINARYMIME" "DSN" "LIMITS" ) Listen "127.0.0.1:${port}" { } }\n`;

async function extendedServer(directory: string, sink: number, more = ''): Promise<ServerProcess> {
  const server = await ServerProcess.start({ directory, sink });
  server.configure(`${extended(server.port)}${more}`);
  await server.stop();
  await server.restart();
  return server;
}

/** Messages that a sink has kept, with those words in them. */
async function kept(directory: string, words: string): Promise<string> {
  return eventually(`a message with ${words}`, async () => {
    for (const name of await readdir(join(directory, 'new')).catch(() => [])) {
      const text = await readFile(join(directory, 'new', name), 'latin1');
      if (text.includes(words)) return text;
    }
    return undefined;
  });
}

function needPostfix(context: TestContext): void {
  need(context, 'smtp-sink');
  if (process.getuid?.() !== 0) context.skip('postfix starts only for root');
}

/** Python's smtplib, with parameters of MAIL and RCPT. */
async function smtplib(context: TestContext, port: number, script: string): Promise<string> {
  const python = need(context, 'python3');
  const program = `
import smtplib
s = smtplib.SMTP('127.0.0.1', ${port}, local_hostname='python.test')
s.ehlo()
${script}
s.quit()
`;
  await using running = new Running(python, ['-c', program]);
  const ended = await running.ended;
  expect([ended.code, ended.errors]).toEqual([0, '']);
  return ended.output;
}

test(
  'smtplib: DSN asked for, and a server without it: the sender is told that his mail was relayed',
  MOST,
  async (context) => {
    using scratch = new Scratch();
    const folder = join(scratch.path, 'kept');
    await using sink = await SinkProcess.start('--keep', folder);
    await using server = await extendedServer(scratch.path, sink.port);
    await smtplib(
      context,
      server.port,
      `
assert s.has_extn('dsn') and s.has_extn('smtputf8') and s.has_extn('chunking')
s.sendmail('ann@origin.test', ['bob@dest.test', 'never@dest.test'], 'Subject: hello\\r\\n\\r\\nhi\\r\\n',
           mail_options=['RET=HDRS', 'ENVID=QQ+2B1'],
           rcpt_options=['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;bob+2Bx@old.test'])
`,
    );
    const report = await kept(folder, 'Action: relayed');
    expect(report).toContain('To: <ann@origin.test>\r\n');
    expect(report).toContain('Original-Envelope-Id: QQ+1\r\n');
    expect(report).toContain(
      'Original-Recipient: rfc822; bob+x@old.test\r\nFinal-Recipient: rfc822; bob@dest.test\r\n',
    );
    await eventually(
      'two deliveries, and that of the report',
      async () => (await server.mainlog()).filter((line) => line.kind === 'D').length === 3,
    );
    const ledger = (await server.console('ledger')).output;
    expect(ledger).toMatch(/difference\D*0\b/i);
  },
);

test('smtplib: NOTIFY=NEVER, and a refusal of the next server: nobody is told', MOST, async (context) => {
  using scratch = new Scratch();
  const folder = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', folder);
  await using server = await extendedServer(scratch.path, sink.port);
  await smtplib(
    context,
    server.port,
    `
s.sendmail('ann@origin.test', ['refuse@dest.test'], 'Subject: quiet\\r\\n\\r\\nhi\\r\\n', rcpt_options=['NOTIFY=NEVER'])
s.sendmail('ann@origin.test', ['refuse@dest.test'], 'Subject: loud\\r\\n\\r\\nhi\\r\\n')
`,
  );
  expect(await kept(folder, 'Action: failed')).toContain('Subject: loud');
  await eventually(
    'two failures',
    async () => (await server.mainlog()).filter((line) => line.kind === 'P').length === 2,
  );
  expect(sink.accepted('ann@origin.test')).toHaveLength(1);
});

test('what was asked for outlives a server that is killed while the mail waits', MOST, async () => {
  using scratch = new Scratch();
  const folder = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', folder);
  await using server = await extendedServer(scratch.path, sink.port, 'Retry_Interval = 1\n');
  {
    await using client = await Client.connect(server.port);
    await client.says('MAIL FROM:<ann@origin.test> ENVID=waits');
    await client.says('RCPT TO:<grey-1s@dest.test> NOTIFY=SUCCESS ORCPT=rfc822;grey@old.test');
    expect(await client.says('DATA')).toMatch(/^354/);
    expect(await client.says('Subject: later\r\n\r\nx\r\n.')).toMatch(/^250/);
  }
  await server.logged('T');
  await server.kill();
  await server.restart();
  const report = await kept(folder, 'Action: relayed');
  expect(report).toContain('Original-Envelope-Id: waits\r\n');
  expect(report).toContain('Original-Recipient: rfc822; grey@old.test\r\n');
});

test('chunks over a socket: what came by BDAT is what goes out by DATA', MOST, async () => {
  using scratch = new Scratch();
  const folder = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', folder);
  await using server = await extendedServer(scratch.path, sink.port);
  await using client = await Client.connect(server.port);
  const first = 'Subject: chunks\r\n\r\n.\r\n';
  const last = '..\r\nQUIT\r\nno line end';
  client.write(
    `MAIL FROM:<ann@origin.test>\r\nRCPT TO:<bob@dest.test>\r\nBDAT ${first.length}\r\n${first}BDAT ${last.length} LAST\r\n${last}`,
  );
  for (const expected of [/^250 2\.1\.0/, /^250 2\.1\.5/, /^250 2\.0\.0 22 octets/, /^250 2\.0\.0 OK/])
    expect(await client.reply()).toMatch(expected);
  expect(await kept(folder, 'Subject: chunks')).toMatch(
    /\r\nSubject: chunks\r\n\r\n\.\r\n\.\.\r\nQUIT\r\nno line end\r\n$/,
  );
});

test('binary content goes to a server without BINARYMIME as base64', MOST, async () => {
  using scratch = new Scratch();
  const folder = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', folder);
  await using server = await extendedServer(scratch.path, sink.port);
  await using client = await Client.connect(server.port);
  const text =
    'Subject: bits\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n.\n\xff\r';
  client.write(
    `MAIL FROM:<a@origin.test> BODY=BINARYMIME\r\nRCPT TO:<b@dest.test>\r\nBDAT ${text.length} LAST\r\n${text}`,
  );
  for (let left = 3; left > 0; left--) expect(await client.reply()).toMatch(/^250/);
  const arrived = await kept(folder, 'Subject: bits');
  expect(Buffer.from(arrived.slice(arrived.indexOf('\r\n\r\n') + 4), 'base64').toString('latin1')).toBe(
    '\0\n.\n\xff\r',
  );
});

test(
  'to Postfix: DSN is passed on, and Postfix tells the sender; SMTPUTF8 is asked for where it is needed',
  MOST,
  async (context) => {
    needPostfix(context);
    using scratch = new Scratch();
    const folder = join(scratch.path, 'kept');
    await using sink = await SinkProcess.start('--keep', folder);
    await using postfix = await PostfixServer.start(sink.port);
    await using server = await extendedServer(scratch.path, postfix.port);
    await smtplib(
      context,
      server.port,
      `
s.sendmail('ann@origin.test', ['bob@dest.test'], 'Subject: hello\\r\\n\\r\\nhi\\r\\n',
           mail_options=['ENVID=ABC'], rcpt_options=['NOTIFY=SUCCESS', 'ORCPT=rfc822;bob@old.test'])
s.command_encoding = 'utf-8'
s.sendmail('j\\u00fcrgen@origin.test', ['bob@dest.test'], 'Subject: \\u00fc\\r\\n\\r\\nhi\\r\\n'.encode(),
           mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
`,
    );
    const report = await kept(folder, 'Action: relayed');
    expect(report).toContain('Original-Envelope-Id: ABC');
    expect(report).toContain('Original-Recipient: rfc822;bob@old.test');
    expect(report).toMatch(/Reporting-MTA: dns; postfix\.test/);
    await eventually(
      'two deliveries',
      async () => (await server.mainlog()).filter((line) => line.kind === 'D').length === 2,
    );
    // Its own next server, our sink, has no SMTPUTF8: Postfix has taken the mail and knows that it may not go on.
    await eventually('Postfix has the mail in UTF-8', () => postfix.log.includes('SMTPUTF8 is required'));
  },
);

test('from Postfix: what its client asks of us is kept, and we tell the sender', MOST, async (context) => {
  needPostfix(context);
  using scratch = new Scratch();
  const folder = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', folder);
  await using server = await extendedServer(scratch.path, sink.port);
  await using postfix = await PostfixServer.start(server.port);
  await smtplib(
    context,
    postfix.port,
    `
s.sendmail('ann@origin.test', ['bob@dest.test', 'refuse@dest.test'], 'Subject: hello\\r\\n\\r\\nhi\\r\\n',
           mail_options=['ENVID=A+2BB', 'RET=FULL'], rcpt_options=['NOTIFY=SUCCESS,FAILURE'])
`,
  );
  const relayed = await kept(folder, 'Action: relayed');
  expect(relayed).toContain('Original-Envelope-Id: A+B\r\n');
  expect(relayed).toContain('Original-Recipient: rfc822; bob@dest.test\r\n');
  expect(relayed).toContain('Reporting-MTA: dns; impetus.test\r\n');
  const failed = await kept(folder, 'Action: failed');
  expect(failed).toContain('Content-Type: message/rfc822\r\n');
  expect(failed).toMatch(/\r\nReturn-Path: <ann@origin\.test>\r\n/);
});

test('from Postfix: mail in UTF-8, and mail of 8 bits', MOST, async (context) => {
  needPostfix(context);
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await extendedServer(scratch.path, sink.port);
  await using postfix = await PostfixServer.start(server.port);
  await smtplib(
    context,
    postfix.port,
    `
s.command_encoding = 'utf-8'
s.sendmail('j\\u00fc@origin.test', ['b\\u00e4@b\\u00fccher.test'], 'Subject: \\u00fc\\r\\n\\r\\nhi\\r\\n'.encode(),
           mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
s.sendmail('ann@origin.test', ['bob@dest.test'], 'Subject: x\\r\\n\\r\\n\\u00fc\\r\\n'.encode(), mail_options=['BODY=8BITMIME'])
`,
  );
  const failed = await server.logged('P');
  expect(failed.fields.join('@')).toContain('553 5.6.7 [internal] SMTPUTF8 required but not advertised');
  expect(await server.log('mainlog')).toContain('bä@bücher.test');
  await server.logged('D');
});
