import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstLine } from './machine.ts';
import type { Mta } from './mta.ts';
import { program } from './tools.ts';
import type { Mode } from './workloads.ts';

/** Where Debian keeps the list of Postfix's services as it is shipped. */
const SERVICES = '/usr/share/postfix/master.cf.dist';

/** Postfix with its own queue and configuration beside whatever the machine has. Needs root. */
export const postfix: Mta = {
  name: 'postfix',
  version() {
    if (process.getuid?.() !== 0) throw new Error('postfix starts only for root');
    program('postfix');
    return `Postfix ${firstLine(program('postconf'), '-dh', 'mail_version')}`;
  },
  prepare({ directory, port, sink, mode }) {
    const [etc, queue, data] = ['etc', 'queue', 'data'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    for (const each of [etc, queue, data]) mkdirSync(each);
    execFileSync('chown', ['postfix', data]);
    writeFileSync(join(etc, 'main.cf'), settings(queue, data, sink, mode));
    writeFileSync(join(etc, 'master.cf'), services(port));
    for (const empty of ['main.cf.proto', 'master.cf.proto']) writeFileSync(join(etc, empty), '');
    return { words: [program('postfix'), '-c', etc, 'start'], daemon: true };
  },
};

/** As shipped but for what a relay without DNS and with one destination needs, and limits that are no hindrance. */
function settings(queue: string, data: string, sink: number, mode: Mode): string {
  const values: Readonly<Record<string, string>> = {
    compatibility_level: '3.6',
    queue_directory: queue,
    data_directory: data,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'postfix.test',
    // Everything is relayed; nothing is local.
    mydestination: '',
    local_recipient_maps: '',
    local_transport: 'error:nobody lives here',
    alias_maps: '',
    alias_database: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    relayhost: `[127.0.0.1]:${sink}`,
    disable_dns_lookups: 'yes',
    smtpd_peername_lookup: 'no',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtpd_recipient_restrictions: '',
    smtpd_data_restrictions: mode === 'hold' ? 'check_client_access static:HOLD' : '',
    smtpd_tls_security_level: 'none',
    smtp_tls_security_level: 'none',
    smtpd_client_connection_count_limit: '0',
    message_size_limit: '50000000',
    default_process_limit: '300',
    default_destination_concurrency_limit: '100',
    smtp_destination_concurrency_limit: '100',
    initial_destination_concurrency: '50',
    smtp_connection_cache_destinations: `[127.0.0.1]:${sink}`,
    in_flow_delay: '0s',
  };
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/** The shipped list, listening elsewhere and without chroot. */
function services(port: number): string {
  return readFileSync(SERVICES, 'utf8')
    .split('\n')
    .map((line) => {
      const fields = line.split(/\s+/);
      if (fields.length < 8 || /^[#\s]/.test(line)) return line;
      if (fields[0] === 'smtp' && fields[1] === 'inet') fields[0] = `127.0.0.1:${port}`;
      fields[4] = 'n';
      return fields.join(' ');
    })
    .join('\n');
}
