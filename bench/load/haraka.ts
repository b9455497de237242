import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { home } from '../../test/end-to-end/harness.ts';
import type { Mta } from './mta.ts';

const VERSION = '3.3.4';
/** Fetched by npm when it is first wanted; beside the Node of the set-up, where no check of ours looks. */
const installation = join(home, '.runtime/peers/haraka');
const installed = join(installation, 'node_modules/Haraka');

/** Haraka as one process, on the Node that runs us. */
export const haraka: Mta = {
  name: 'haraka',
  version() {
    install();
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { version: string };
    return `Haraka ${version}`;
  },
  prepare({ directory, port, sink, mode }) {
    const files: Readonly<Record<string, string>> = {
      'config/me': 'haraka.test\n',
      'config/loglevel': 'WARN\n',
      'config/log.ini': '[main]\nlevel=WARN\n',
      'config/smtp.ini': `listen=127.0.0.1:${port}\n`,
      'config/outbound.ini': `disabled=${mode === 'hold'}\nconcurrency_max=200\nenable_tls=false\nlocal_mx_ok=true\n`,
      'config/connection.ini':
        '[main]\n[haproxy]\nhosts[] =\n[headers]\nmax_lines=1000\nmax_received=100\n' +
        '[max]\nbytes=50000000\nmime_parts=1000\nline_length=512\ndata_line_length=992\n' +
        '[message]\nhelo=ready\nclose=bye\n[uuid]\nbanner_chars=6\ndeny_chars=0\n',
      'config/plugins': 'to_the_sink\n',
      'plugins/to_the_sink.js': relayAll(sink),
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    mkdirSync(join(directory, 'queue'));
    return { words: [process.execPath, join(installed, 'bin/haraka'), '-c', directory] };
  },
};

/** A plugin that lets everybody send to everybody, by way of the sink. */
function relayAll(sink: number): string {
  return `'use strict';
exports.hook_connect = (next, connection) => { connection.relaying = true; next(); };
for (const hook of ['hook_mail', 'hook_rcpt']) exports[hook] = (next) => next(OK);
exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${sink} });
`;
}

function install(): void {
  if (existsSync(join(installed, 'package.json'))) return;
  mkdirSync(installation, { recursive: true });
  writeFileSync(join(installation, 'package.json'), '{ "private": true }\n');
  const words = ['install', '--prefix', installation, '--no-save', '--omit=optional', '--ignore-scripts'];
  execFileSync('npm', [...words, '--no-audit', '--no-fund', '--loglevel=error', `Haraka@${VERSION}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: installation,
  });
}
