import { expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';
import { boolean, configSchema, enumeration, integer, mode, option, ownOption } from '../index.ts';
import { catalogue } from '../schema/catalogue.ts';
import { typeOfRow } from '../schema/row-types.ts';
import { parse } from '../text/grammar.ts';
import { askManual, fallbackLines } from './entry-text.ts';
import { FallbackWords } from './fallback-words.ts';
import { KINDS, spellingsOf } from './kinds.ts';
import { Manual } from './manual.ts';
import { configPage, modulePage } from './pages.ts';

const connections = option('max_outbound_connections', integer);
const manual = new Manual(configSchema([connections], ['ec_logger']));

test('an option is told with type, default, scopes, fallback, page and example', () => {
  expect(askManual(manual, 'option', 'MAX_outbound_connections').text.split('\n')).toEqual([
    expect.stringMatching(/^Max_Outbound_Connections - ./),
    '    Type        an integer',
    '    Written as  0, 32, -1',
    ...(catalogue.options.find(({ name }) => name === 'max_outbound_connections')?.unit === undefined
      ? []
      : [expect.stringMatching(/^ {4}Unit /)]),
    '    Default     32; -1 in Host',
    '    Scopes      Global, Binding_Group, Binding, Domain, Host',
    '    Fallback    binding_group:binding:domain > binding:domain > binding_group:domain > binding_group:binding >',
    '                binding > binding_group > domain > Global > default',
    '                binding_group:binding:host > binding_group:host > binding:host > host > default',
    '    Changes     hold at once',
    '    Status      implemented',
    '    Manual      config/ref-max-outbound-connections',
    '    Example     Max_Outbound_Connections = 32',
    '',
  ]);
});

test('a name that means several options prints all of them, and with a scope the one that may stand there', () => {
  const all = manual.options('heartbeat');
  expect(all.map(({ module }) => module).sort()).toEqual(['bounce_logger', 'ec_logger']);
  expect(askManual(manual, 'option', 'heartbeat').text.match(/^Heartbeat/gm)).toHaveLength(2);
  expect(askManual(manual, 'option', 'heartbeat', 'EC_Logger').text.match(/^Heartbeat/gm)).toHaveLength(1);
  expect(manual.options('enabled', 'ec_logger').map(({ scopes }) => scopes)).toEqual([['*module']]);
  expect(askManual(manual, 'option', 'heartbeat', 'domain')).toMatchObject({
    found: false,
    text: 'Heartbeat may not stand in Domain, only in Bounce_Logger, EC_Logger.\n',
  });
  expect(askManual(manual, 'option', 'heartbeat', 'domian').text).toBe(
    'There is no scope "domian". Did you mean Domain?\n',
  );
});

test('an unknown name is answered with those that are near, or with what else it is', () => {
  expect(askManual(manual, 'option', 'max_outbond_connections')).toMatchObject({ found: false });
  expect(manual.near('option', 'max_outbond_connections')[0]).toBe('Max_Outbound_Connections');
  expect(manual.near('option', 'throttle_messages')).toEqual([
    'Inbound_Throttle_Messages',
    'Outbound_Throttle_Messages',
    'Outbound_Throttle_Messages_Series',
    'Cluster_Outbound_Throttle_Messages',
    'Outbound_Throttle_Messages_Monitor',
    'Adaptive_Outbound_Throttle_Messages',
  ]);
  expect(manual.near('option', 'x'.repeat(10_000))).toEqual([]);
  expect(askManual(manual, 'option', 'listen').text).toBe(
    'There is no option "listen". It is a scope: ask for `scope listen`.\n',
  );
  expect(askManual(manual, 'module', 'zz"\n').text).toBe('There is no module "zz\\"\\n".\n');
});

test('scopes and modules are told with what they hold', () => {
  const listen = askManual(manual, 'scope', 'listen');
  expect(listen.text).toMatch(/Written +with a name\n.*Stands in .*\n.*\n +May hold +Peer\n/);
  expect(listen.data).toMatchObject({ parents: expect.arrayContaining(['esmtp_listener']), children: ['peer'] });
  expect(askManual(manual, 'scope', 'Global').data).toMatchObject({ parents: [], status: 'implemented' });
  const logger = askManual(manual, 'module', 'ec_logger').text;
  expect(logger).toMatch(/Mainlog.* \(not implemented yet\)\n/);
  expect(logger).toMatch(/those of every module: Debug_Level, Enabled\n/);
  expect(askManual(manual, 'module', 'xclient').text).toMatch(/Stanza +none: it belongs to the core\n/);
});

test('what is in part implemented says in which part', () => {
  const some = new Manual(
    configSchema(
      [
        option('max_resident_messages', integer, { unservedIn: ['binding'] }),
        option('delivery_method', enumeration('ESMTP', 'SMTP', 'LMTP')),
        ownOption('our_word', boolean, { scopes: ['global'], initial: true, summary: 'ours' }),
      ],
      [],
    ),
  );
  expect(askManual(some, 'option', 'max_resident_messages').text).toMatch(
    /Status +implemented in Global, .*; not yet in Binding\n/,
  );
  expect(askManual(some, 'option', 'delivery_method').text).toMatch(
    /not implemented yet among its values: ECSTREAM, APN, GCM, MM7\n/,
  );
  expect(askManual(some, 'option', 'our_word').text).toMatch(/Default +true\n(?:.*\n)*.*Momentum does not have it\n/);
  expect(askManual(some, 'option', 'blackhole').text).toMatch(/Status +not implemented yet: /);
});

test('the fallback in words is what the rules walk', () => {
  const words = new FallbackWords();
  const lines = (...scopes: readonly string[]): readonly string[] => fallbackLines(words.paths(scopes));
  expect(lines('global')).toEqual(['Global > default']);
  expect(lines('esmtp_listener', 'listen', 'peer', 'pathway', 'pathway_group', 'global')).toEqual([
    'esmtp_listener:listen:peer > esmtp_listener:peer > esmtp_listener:listen > esmtp_listener > ' +
      'pathway_group:pathway > pathway > pathway_group > Global > default',
  ]);
  expect(lines('esmtp_listener', 'http_listener')).toEqual([
    'LISTENER > default   (LISTENER: esmtp_listener, http_listener)',
  ]);
  expect(lines('ec_logger')).toEqual(['ec_logger > default']);
  expect(lines('*')).toEqual([]);
});

test('every spelling of a kind of value is read by a type of that kind', () => {
  const seen = new Set<string>();
  for (const row of catalogue.options) {
    const type = typeOfRow(row);
    const shape = type.shape;
    if (shape === undefined) throw new Error(`${row.name} has no shape`);
    seen.add(shape.kind);
    for (const spelling of spellingsOf(shape)) {
      const [item] = parse(`x = ${spelling}\n`, 'test', []);
      if (item?.kind !== 'option') throw new Error(`${spelling} is not read as a value`);
      expect(() => type.read(item.value), `${row.name} = ${spelling}`).not.toThrow();
    }
  }
  // Nothing of the catalogue has the type of an endpoint; the rooms have.
  expect([...Object.keys(KINDS)].filter((kind) => !seen.has(kind))).toEqual(['endpoint']);
});

test('every example can stand in a configuration', async () => {
  const options = manual.allOptions().filter(({ scopes }) => !scopes.includes('*'));
  expect(options.length).toBeGreaterThan(700);
  const wrong: string[] = [];
  // Each alone: some may not stand beside each other.
  for (const { example } of [...options, ...manual.allScopes()]) {
    const files = { '/etc/impetus/impetus.conf': example, '/var/log/other': '' };
    await configured(files, [connections], ['ec_logger']).catch((error: unknown) => wrong.push(`${example}: ${error}`));
  }
  expect(wrong).toEqual([]);
});

test('defaults are told as a file would say them', () => {
  const said = (name: string) => manual.options(name)[0]?.default;
  expect(said('max_outbound_connections')).toBe(32);
  expect(said('blackhole')).toBe('false');
  expect(said('adaptive_notification_events')).toEqual(['throttle', 'suspension', 'blackhole']);
  const ours = new Manual(
    configSchema([ownOption('our_mode', mode, { scopes: ['global'], initial: 0o640, summary: '' })], []),
  );
  expect(ours.options('our_mode')[0]).toMatchObject({ default: '0640', inMomentum: false });
});

test('pages of the manual: an option of its own page, a module, and what has none', () => {
  expect(configPage('retry_interval')).toBe('config/ref-retry-interval');
  expect(configPage('tls_verify')).toBe('config/tls-verify');
  expect(configPage('rfc2822_date_header')).toBe('config/ref-rfc-2822-date-header');
  expect(configPage('no_such')).toBeUndefined();
  expect(modulePage('spf_v1')).toBe('modules/spf');
  expect(modulePage('no_such')).toBeUndefined();
  // `domain` is a stanza of the core, and an option of two modules.
  expect(manual.options('domain').map(({ manualPage }) => manualPage)).toEqual([
    'modules/maildir',
    'modules/pipe-transport',
  ]);
});
