import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually, freePort, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { need } from './peers.ts';

const MOST = { timeout: 360_000 };
const page = readFileSync(new URL('../../docs/listeners.md', import.meta.url), 'utf8');
/** The configuration that the page shows. */
const shown = /^```haproxy\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
const SERVER = 'server one 10.0.0.25:2525 send-proxy-v2 check check-send-proxy';

/** What haproxy says on its own socket. */
function asks(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    createConnection(socket)
      .on('error', reject)
      .on('data', (chunk) => void (said += chunk))
      .on('end', () => resolve(said))
      .write(`${command}\n`);
  });
}

/** The client's own address is the one with which it connects to haproxy; haproxy connects from 127.0.0.1. */
const CLIENT = '127.0.0.2';
const STRANGER = '127.0.0.3';

test('the page shows a configuration', () => {
  expect(shown).toContain(SERVER);
  expect(shown).toContain('bind 192.0.2.25:25');
});

describe.each([
  ['as the page has it', SERVER],
  ['version 1', SERVER.replace('send-proxy-v2', 'send-proxy')],
  ['version 1 without health checks', 'server one 10.0.0.25:2525 send-proxy'],
  ['version 2 without health checks', 'server one 10.0.0.25:2525 send-proxy-v2'],
  ['version 2 with a CRC32C and a unique id', `${SERVER} proxy-v2-options crc32c,unique-id`],
])('haproxy, %s', (_, line) => {
  test('the client that connects to it is the client of the session', MOST, async (context) => {
    const [haproxy, swaks] = [need(context, 'haproxy'), need(context, 'swaks')];
    using scratch = new Scratch();
    const [front, back] = [await freePort(), await freePort()];
    const kept = join(scratch.path, 'kept');
    await using sink = await SinkProcess.start('--keep', kept);
    await using server = await ServerProcess.start({
      directory: scratch.path,
      sink: sink.port,
      more: `Relay_Hosts = ( ${CLIENT} )
        ESMTP_Listener { Listen "127.0.0.1:${back}" { Proxy_Protocol = true Proxy_Protocol_From = ( 127.0.0.1 ) } }`,
    });
    const checks = line.includes(' check');
    const socket = join(scratch.path, 'haproxy.sock');
    const file = join(scratch.path, 'haproxy.cfg');
    const text = shown
      .replace(SERVER, line)
      .replace('bind 192.0.2.25:25', `bind 127.0.0.1:${front}\n  unique-id-format %{+X}o%ci:%cp_%rt`)
      .replace('10.0.0.25:2525', `127.0.0.1:${back}`);
    await writeFile(file, `global\n  stats socket "${socket}" level admin\n${text}`);
    await using proxy = new Running(haproxy, ['-db', '-f', file]);
    const state = await eventually('haproxy knows how its server is', async () => {
      if (proxy.over) throw new Error(`haproxy ended: ${proxy.errors}`);
      const table = await asks(socket, 'show stat').catch(() => '');
      const [head = '', ...rows] = table.split('\n');
      const names = head.split(',');
      const row = rows.find((each) => each.startsWith('impetus,one,'))?.split(',');
      const [status, check] = ['status', 'check_status'].map((name) => row?.[names.indexOf(name)]);
      return checks ? check === 'L7OK' && status : status;
    });
    expect(state).toBe(checks ? 'UP' : 'no check');

    const sends = async (from: string): Promise<string> => {
      await using sending = new Running(swaks, [
        ...['--server', `127.0.0.1:${front}`, '--local-interface', from],
        ...['--from', 'ann@origin.test', '--to', 'bob@dest.test', '--header', `Subject: ${from}`],
      ]);
      return (await sending.ended).output;
    };
    expect(await sends(CLIENT)).toMatch(/says EHLO to 127\.0\.0\.2[\s\S]*250 2\.0\.0 OK/);
    expect(await sends(STRANGER)).toContain('550 5.7.1 relaying denied');
    await eventually('the delivery', () => sink.accepted('bob@dest.test').length === 1);
    const lines = await eventually('the rejection', async () => {
      const log = await server.log('rejectlog');
      return log.includes('relaying denied') && log;
    });
    expect(lines).toContain(`R="${STRANGER}:`);
    expect(lines).not.toContain('R="127.0.0.1:');
    expect(await server.log('paniclog')).not.toContain('PROXY header');
  });
});
