import { expect, test } from 'vitest';
import { Certificates } from '../support/certificates.ts';
import { send } from './client.ts';
import { eventually, Scratch, ServerProcess, SinkProcess } from './harness.ts';

const MOST = { timeout: 120_000 };

interface Case {
  readonly name: string;
  readonly sink: 'none' | 'self-signed' | 'signed' | 'expired' | 'other name';
  /** Options of the server; `@` is the folder. */
  readonly options: string;
  /** What the mainlog says: a delivery, or the text of the T line. */
  readonly expected: 'D' | string;
}

const CA = 'TLS_Ca = "@/Test-Root.pem"';
/** Mail for this domain stands in a queue of its name, and not in that of the gateway. */
const DIRECT = 'Domain "dest.test" { Gateway = "dest.test" Routes = ( "127.0.0.1" ) }';
const UNTRUSTED = '451 4.7.5 [internal] remote node SSL certificate not signed by a valid CA';

test.for<Case>([
  { name: 'ifavailable, offered', sink: 'self-signed', options: 'TLS = ifavailable', expected: 'D' },
  { name: 'ifavailable, not offered', sink: 'none', options: 'TLS = ifavailable', expected: 'D' },
  { name: 'required, offered', sink: 'self-signed', options: 'TLS = required', expected: 'D' },
  {
    name: 'required, not offered',
    sink: 'none',
    options: 'TLS = required',
    expected: '451 4.7.6 [internal] STARTTLS required but not advertised',
  },
  { name: 'verified by ca', sink: 'signed', options: `TLS = required TLS_Verify = ca ${CA}`, expected: 'D' },
  {
    name: 'not verified by ca',
    sink: 'self-signed',
    options: `TLS = required TLS_Verify = ca ${CA}`,
    expected: UNTRUSTED,
  },
  { name: 'expired', sink: 'expired', options: `TLS = required TLS_Verify = ca ${CA}`, expected: UNTRUSTED },
  {
    name: 'verified by host',
    sink: 'signed',
    options: `${DIRECT} TLS = required TLS_Verify = host ${CA}`,
    expected: 'D',
  },
  {
    name: 'another host',
    sink: 'other name',
    options: `TLS = required TLS_Verify = host ${CA}`,
    expected: '451 4.7.5 [internal] SSL certificate subject does not match host',
  },
  { name: 'optional', sink: 'other name', options: `TLS = required TLS_Verify = optional ${CA}`, expected: 'D' },
  {
    name: 'no protocol in common, fallback',
    sink: 'self-signed',
    options: 'TLS = ifavailable TLS_Protocols = "+TLSv1.1"',
    expected: 'D',
  },
  {
    name: 'no protocol in common, required',
    sink: 'self-signed',
    options: 'TLS = required TLS_Protocols = "+TLSv1.1"',
    expected: '451 4.7.5 [internal] TLS negotiation failed',
  },
])('outbound TLS over real sockets: $name', MOST, async ({ sink: kind, options, expected }) => {
  using scratch = new Scratch();
  const certificates = new Certificates(scratch.path);
  const words: string[] = [];
  if (kind === 'self-signed') words.push('--tls');
  else if (kind !== 'none') {
    const name = kind === 'other name' ? 'elsewhere.test' : 'dest.test';
    const { certificate, key } = certificates.issue('sink', [name], { expired: kind === 'expired' });
    words.push('--certificate', certificate, '--key', key);
  }
  await using sink = await SinkProcess.start(...words);
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: options.replaceAll('@', scratch.path),
  });
  await send(server.port, 'ann@origin.test', ['bob@dest.test']);
  if (expected === 'D') {
    await server.logged('D');
    await eventually('the message', () => sink.accepted('bob@dest.test').length === 1);
  } else {
    const line = await server.logged('T');
    expect(line.fields.join('@')).toContain(expected);
  }
});

test('a server checks certificates before it opens a socket, and says where the trouble stands', MOST, async () => {
  using scratch = new Scratch();
  const certificates = new Certificates(scratch.path);
  const one = certificates.issue('one', ['one.test']);
  const two = certificates.issue('two', ['two.test']);
  const server = await ServerProcess.start({
    directory: scratch.path,
    sink: 1,
    more: `ESMTP_Listener { TLS_Certificate = "${one.certificate}" TLS_Key = "${two.key}" }`,
  }).catch((error: unknown) => String(error));
  expect(server).toContain('error: the key does not belong to the certificate');
  expect(server).toMatch(/impetus\.conf:\d+:\d+/);
});
