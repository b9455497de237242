import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort, home, Scratch, ServerProcess } from '../end-to-end/harness.ts';
import { ListeningHouse } from '../support/listening.ts';
import { WholeServer } from '../support/whole-server.ts';
import { StreamPeer } from './stream-peer.ts';

const page = readFileSync(join(home, 'docs/ecstream.md'), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((found) => found[1] ?? '');

test('the configuration of the page opens what the page says', async () => {
  const nobody = { data: () => undefined, drained: () => undefined, closed: () => undefined };
  const house = await ListeningHouse.with(blocks('conf')[0] ?? '', {
    handlers: { ecstream_listener: () => nobody, control_listener: () => nobody },
  });
  const names = house.doors.names.filter((name) => name.startsWith('ECStream'));
  expect(names.toSorted()).toEqual((blocks('opens')[0] ?? '').trim().split('\n').toSorted());
});

test('the configuration between servers brings mail for the domain of the page to the gateway', async () => {
  const house = await WholeServer.with(`${blocks('conf')[1] ?? ''}
    Relay_Hosts = ( 127.0.0.0/8 ) ESMTP_Listener { Listen "127.0.0.1:25" { } }`);
  const { clock, network } = house.world;
  const peer = await StreamPeer.at({ clock, network }, {}, { kind: 'tcp', ip: '192.0.2.25', port: 1825 });
  const talker = await house.connect('127.0.0.1:25', '127.0.0.1');
  for (const line of ['EHLO me.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@example.org>', 'DATA'])
    await talker.says(line);
  await talker.says('Subject: hello\r\n\r\nhello\r\n.');
  await clock.advance(5000);
  expect(peer.taken).toMatchObject([{ to: ['b@example.org'] }]);
});

test('the client of the page does what the page says, with the package as others import it', async () => {
  using scratch = new Scratch();
  const port = await freePort();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: 1,
    more: `ECStream_Listener { Listen "127.0.0.1:${port}" { } }\nSuspend_Delivery = true`,
  });
  const [example = ''] = blocks('js example');
  // As the text of a program in the package's folder, where its own name leads to its exports.
  const { code, output } = await ran(example.replace('port: 1825', `port: ${port}`));
  expect(output.trim().split('\n')).toEqual([
    expect.stringMatching(/^accepted [0-9A-F/-]{20} refused 0$/),
    'accepted 500',
    'refused 553 5.1.3',
  ]);
  expect(code).toBe(0);
  expect((await server.console('ledger')).output).toMatch(/Received: +502\n/);
});

function ran(program: string): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: home });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.on('close', (code) => resolve({ code, output }));
  });
}
