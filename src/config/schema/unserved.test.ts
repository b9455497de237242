import { expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import { boolean, configCommand, configSession, duration, enumeration, integer, option } from '../index.ts';

test('an option that nobody reads in that scope is named by the check, and where it is read it is not', async () => {
  const declared = [option('max_resident_messages', integer, { unservedIn: ['binding'] })];
  const text = 'Max_Resident_Messages = 5\nBinding "b" { Max_Resident_Messages = 6 }\n';
  const { configuration } = await configured(text, declared);
  expect(configuration.notImplemented.map((each) => each.text)).toEqual(['Max_Resident_Messages in Binding']);
});

test('what nobody reads in one listener is named in its Listen and Peer too, and not in those of another', async () => {
  const declared = [option('always_deny', boolean, { unservedIn: ['esmtp_listener', 'pathway'] })];
  const of = (listener: string): string =>
    `${listener} { Always_Deny = true Peer "10.0.0.1" { Always_Deny = true } Listen "/${listener}" { Always_Deny = true Peer "10.0.0.1" { Always_Deny = true } } }\n`;
  const { configuration } = await configured(of('ESMTP_Listener') + of('Control_Listener'), declared);
  expect(configuration.notImplemented.map((each) => `${each.place.line} ${each.text}`)).toEqual([
    '1 Always_Deny in ESMTP_Listener',
    '1 Always_Deny in Peer of ESMTP_Listener',
    '1 Always_Deny in Listen of ESMTP_Listener',
    '1 Always_Deny in Peer of ESMTP_Listener',
  ]);
});

test('what may stand in a Listen and Peer, and not in their listener, is named there, unless every listener reads it', async () => {
  const declared = [
    option('timeout', duration, { scope: 'control_listener' }),
    option('open_relay', boolean),
    option('require_ehlo', boolean),
    option('listener_sessions', integer, { ofEveryListener: true }),
  ];
  const all = 'Timeout = 5 Open_Relay = true Require_EHLO = true Listener_Sessions = 5';
  const of = (listener: string): string =>
    `${listener} { Listen "/${listener}" { ${all} Peer "10.0.0.1" { ${all} } } }\n`;
  const { configuration } = await configured(
    of('ESMTP_Listener') + of('Control_Listener') + of('ECStream_Listener'),
    declared,
  );
  const found = configuration.notImplemented.map((each) => `${each.place.line} ${each.text}`);
  const peersToo = (line: number, listener: string, names: readonly string[]): readonly string[] =>
    ['Listen', 'Peer'].flatMap((scope) => names.map((name) => `${line} ${name} in ${scope} of ${listener}`));
  expect(found).toEqual([
    ...peersToo(1, 'ESMTP_Listener', ['Timeout']),
    ...peersToo(2, 'Control_Listener', ['Open_Relay', 'Require_EHLO']),
    // Its clients are judged as those of SMTP are, and say no EHLO.
    ...peersToo(3, 'ECStream_Listener', ['Timeout', 'Require_EHLO']),
  ]);
});

test('config set, explain and reload say so too', async () => {
  const declared = [
    option('max_resident_messages', integer, { unservedIn: ['binding'] }),
    option('tls_engine', { ...enumeration('openssl', 'gnutls'), unserved: () => ['the value gnutls'] }),
  ];
  const { configuration } = await configured('Binding "b" { }', declared);
  const said = async (line: string) => (await configCommand(configuration, configSession(), line)).lines;
  expect(await said('set binding b max_resident_messages 6')).toEqual([
    'Warning: "Max_Resident_Messages" in Binding is not implemented yet; it changes nothing.',
    'Max_Resident_Messages = 6',
  ]);
  expect(await said('explain binding b max_resident_messages')).toContain(
    '  not implemented yet: nothing reads it in Binding',
  );
  expect(await said('set max_resident_messages 6')).toEqual(['Max_Resident_Messages = 6']);
  expect(await said('set tls_engine gnutls')).toContain(
    'Warning: the value gnutls of "TLS_Engine" is not implemented yet; it changes nothing.',
  );
  expect(await said('explain max_resident_messages')).not.toContain(expect.stringContaining('not implemented'));
});

test('config reload counts what changes nothing', async () => {
  const { configuration, disk } = await configured('', []);
  await disk.replace(MAIN, Buffer.from('Retry_Interval = 5 Max_Retries = 3'));
  const said = await configCommand(configuration, configSession(), 'reload');
  expect(said.lines).toEqual([
    'Warning: 2 settings are accepted and not implemented yet: impetus check names them.',
    'Configuration reloaded, generation 2.',
  ]);
});
