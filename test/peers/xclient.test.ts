import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { need } from './peers.ts';

const MOST = { timeout: 360_000 };

test('swaks as a proxy: XCLIENT makes it the client that it describes', MOST, async (context) => {
  const swaks = need(context, 'swaks');
  using scratch = new Scratch();
  const kept = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', kept);
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: `Relay_Hosts = ( 203.0.113.0/24 )
      ESMTP_Listener { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" ) Peer "127.0.0.1" { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" "XCLIENT" ) } }`,
  });
  const sends = async (...xclient: readonly string[]): Promise<string> => {
    await using sending = new Running(swaks, [
      ...['--server', `127.0.0.1:${server.port}`, '--from', 'ann@origin.test', '--to', 'bob@dest.test'],
      ...xclient,
    ]);
    return (await sending.ended).output;
  };
  expect(await sends()).toContain('550 5.7.1 relaying denied');
  expect(await sends('--xclient-addr', '198.51.100.1')).toContain('550 5.7.1 relaying denied');
  const said = await sends(
    ...['--xclient-addr', '203.0.113.9', '--xclient-port', '4321', '--xclient-name', 'spike.example'],
    ...['--xclient-proto', 'ESMTP', '--xclient-helo', 'spike.example', '--helo', 'spike.example'],
  );
  expect(said).toMatch(
    /-> XCLIENT [^\n]*ADDR=203\.0\.113\.9[^\n]*\n<- +220 impetus\.test ESMTP [\s\S]*says EHLO to 203\.0\.113\.9/,
  );
  expect(said).toMatch(/<- +250 2\.0\.0 OK/);
  expect(await sends('--xclient-addr', 'IPV6:2001:db8::9', '--xclient-login', 'ann')).toMatch(/<- +250 2\.0\.0 OK/);
  const names = await eventually('two kept messages', async () => {
    const found = await readdir(join(kept, 'new')).catch(() => []);
    return found.length === 2 && found;
  });
  const texts = await Promise.all(names.map((name) => readFile(join(kept, 'new', name), 'latin1')));
  expect(texts.some((text) => text.includes('from [203.0.113.9] ([203.0.113.9]:4321 helo=spike.example)'))).toBe(true);
  expect(texts.some((text) => text.includes('from [IPv6:2001:db8::9] ([2001:db8::9]:'))).toBe(true);
  const log = await eventually('both rejections', async () => {
    const text = await server.log('rejectlog');
    return text.includes('R="198.51.100.1:') && text.includes('R="127.0.0.1:') && text;
  });
  expect(log).toContain('relaying denied');
});
