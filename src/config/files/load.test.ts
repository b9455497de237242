import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configured, diskWith, MAIN } from '../../../test/support/configuration.ts';
import { bindingName, type Domain, millis, parseDomain } from '../../base/index.ts';
import {
  boolean,
  ConfigErrors,
  duration,
  type Generation,
  integer,
  loadConfiguration,
  option,
  optional,
  ownOption,
  path,
  searchPath,
  text,
} from '../index.ts';
import { LIMITS } from '../text/items.ts';

const maxOutboundConnections = option('max_outbound_connections', integer);
const messageExpiration = option('message_expiration', duration);
const spoolbase = option('spoolbase', path, { initial: '/var/spool/impetus' });
const pathwayText = option('static_banner', optional(text));
const declared = [maxOutboundConnections, messageExpiration, spoolbase, pathwayText];

const clock = { date: () => millis(1_772_532_000_000) };

async function errorsOf(files: string | Record<string, string>): Promise<ConfigErrors> {
  const disk = await diskWith(files);
  try {
    await loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] });
  } catch (error) {
    if (error instanceof ConfigErrors) return error;
    throw error;
  }
  return expect.fail('it was loaded');
}

describe('the main file', () => {
  test('each directory is searched for impetus.conf, then ecelerity.conf, before the next one', async () => {
    const disk = await diskWith({
      '/b/ecelerity.conf': 'Message_Expiration = 2',
      '/c/impetus.conf': 'Message_Expiration = 3',
    });
    const load = async (): Promise<Generation> =>
      (await loadConfiguration({ disk, clock, searchPath: ['/a', '/b', '/c'], declared, modules: [] })).current;
    expect((await load()).global.get(messageExpiration)).toBe(2);
    await disk.replace('/b/impetus.conf', Buffer.from('Message_Expiration = 1'));
    expect((await load()).global.get(messageExpiration)).toBe(1);
  });

  test('the default path has the directory of the node before the default one', () => {
    expect(searchPath({ nodeName: 'mx1.example' })).toEqual([
      '/etc/impetus/conf/global',
      '/etc/impetus/conf/mx1.example',
      '/etc/impetus/conf/default',
      '/etc/impetus',
    ]);
  });

  test('a variable replaces it; an element with a subcluster is dropped', () => {
    expect(searchPath({ nodeName: 'n', variable: '/x/{NODENAME}:/y/{SUBCLUSTER}::/z' })).toEqual(['/x/n', '/z']);
  });

  test.each(['', '.', '..', 'a/b'])('%j cannot be the name of a node', (nodeName) => {
    expect(() => searchPath({ nodeName })).toThrow('cannot be the name of a node');
  });

  test('without any file the reason is told', async () => {
    const errors = await errorsOf({ '/elsewhere/x': '' });
    expect(errors.reason).toBe('not found');
    expect(errors.checkLines).toEqual(['error: no impetus.conf or ecelerity.conf in /etc/impetus']);
  });

  test('a file that was named and is not there is not found either', async () => {
    const disk = await diskWith('');
    await expect(
      loadConfiguration({ disk, clock, file: '/no/such', searchPath: [], declared, modules: [] }),
    ).rejects.toMatchObject({ reason: 'not found', message: 'error: cannot read /no/such: no such file or directory' });
  });

  test('a directory made after the start is noticed at a reload', async () => {
    const disk = await diskWith({ '/etc/default/impetus.conf': 'Message_Expiration = 5' });
    const configuration = await loadConfiguration({
      disk,
      clock,
      searchPath: ['/etc/node', '/etc/default'],
      declared,
      modules: [],
    });
    await disk.makeDirectory('/etc/node');
    await disk.replace('/etc/node/impetus.conf', Buffer.from('Message_Expiration = 6'));
    expect((await configuration.reload()).global.get(messageExpiration)).toBe(6);
    expect(configuration.file).toBe('/etc/node/impetus.conf');
  });
});

describe('merging', () => {
  const value = (generation: Generation, domain: string): number =>
    generation
      .sending('default', bindingName('default'), parseDomain(domain) ?? ('' as Domain))
      .get(maxOutboundConnections);

  test('a stanza may appear many times; later values win, and names are compared canonically', async () => {
    const { configuration } = await configured(
      {
        [MAIN]: 'DOMAIN "MX.test" { Max_Outbound_Connections = 1 Message_Expiration = 7 } include "more.conf"',
        '/etc/impetus/more.conf': 'domain "mx.TEST." { max_outbound_connections = 2 }',
      },
      declared,
    );
    expect(value(configuration.current, 'mx.test')).toBe(2);
    expect(
      configuration.current.sending('default', bindingName('default'), 'mx.test' as Domain).get(messageExpiration),
    ).toBe(7);
  });

  test('an included file is looked for beside the including one, then on the search path', async () => {
    const disk = await diskWith({
      '/etc/default/impetus.conf': 'include "local.inc" Domain "a.test" { include "sub/dom.inc" }',
      '/etc/node/local.inc': 'Max_Outbound_Connections = 1',
      '/etc/default/local.inc': 'Max_Outbound_Connections = 2',
      '/etc/node/sub/dom.inc': 'Max_Outbound_Connections = 3',
    });
    const { current } = await loadConfiguration({
      disk,
      clock,
      searchPath: ['/etc/node', '/etc/default'],
      declared,
      modules: [],
    });
    expect(value(current, 'b.test')).toBe(2);
    expect(value(current, 'a.test')).toBe(3);
  });

  test('a directory is read in the order of its names, without dot files, leftovers and what lies below', async () => {
    const { configuration } = await configured(
      {
        [MAIN]: 'include "file:///etc/impetus/d"',
        '/etc/impetus/d/10.conf': 'Max_Outbound_Connections = 10',
        '/etc/impetus/d/20.conf': 'Max_Outbound_Connections = 20',
        '/etc/impetus/d/.30.conf': 'bad bad bad',
        '/etc/impetus/d/40.conf~': 'bad bad bad',
        '/etc/impetus/d/50/x.conf': 'bad bad bad',
      },
      declared,
    );
    expect(configuration.current.global.get(maxOutboundConnections)).toBe(20);
    expect(configuration.notices.map((notice) => notice.text)).toEqual([
      expect.stringContaining('40.conf~ looks like a leftover'),
    ]);
  });

  test('files reached by readonly_include, or twice, are read-only; a plain include inside such a file is not', async () => {
    const { configuration } = await configured(
      {
        [MAIN]: 'readonly_include "a" include "c" include "d" include "d"',
        '/etc/impetus/a': 'include "b"',
        '/etc/impetus/b': '',
        '/etc/impetus/c': '',
        '/etc/impetus/d': '',
      },
      declared,
    );
    expect(configuration.files.map((file) => [file.path.replace('/etc/impetus/', ''), file.readOnly])).toEqual([
      ['impetus.conf', undefined],
      ['a', 'reached by readonly_include'],
      ['b', undefined],
      ['c', undefined],
      ['d', 'included more than once'],
    ]);
  });
});

describe('includes that cannot be', () => {
  test.each([
    ['include "no"', `${MAIN}:1:1: error: failed to stat 'no': no such file or directory`],
    ['include "/no"', `${MAIN}:1:1: error: failed to stat '/no': no such file or directory`],
    ['include "impetus.conf"', `${MAIN}:1:1: error: '${MAIN}' includes itself: ${MAIN} → ${MAIN}`],
    ['include "http://x/y"', `${MAIN}:1:1: error: 'http://x/y': http:// is read only with --allow-remote-includes`],
    [
      'include "persist://http://x/y"',
      `${MAIN}:1:1: error: 'persist://http://x/y': persist:// is read only with --allow-remote-includes`,
    ],
    ['include "cluster://x/y"', `${MAIN}:1:1: error: 'cluster://x/y': the scheme cluster is not supported`],
  ])('%s', async (text, line) => {
    expect((await errorsOf(text)).checkLines).toEqual([line]);
  });

  test('16 files inside each other are read, 17 are an error', async () => {
    const chain = (length: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: length + 1 }, (_, index) => [
          index === 0 ? MAIN : `/etc/impetus/${index}`,
          index === length ? 'Max_Outbound_Connections = 3' : `include "${index + 1}"`,
        ]),
      );
    const { configuration } = await configured(chain(LIMITS.includeDepth), declared);
    expect(configuration.current.global.get(maxOutboundConnections)).toBe(3);
    expect((await errorsOf(chain(LIMITS.includeDepth + 1))).checkLines).toEqual([
      expect.stringContaining('more than 16 files included'),
    ]);
  });

  test('files that include each other twice, sixteen deep, end at the limit of items', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [
        index === 0 ? MAIN : `/etc/impetus/${index}`,
        `${`include "${index + 1}"\n`.repeat(5)}`,
      ]),
    );
    const errors = await errorsOf({ ...files, '/etc/impetus/16': 'Max_Outbound_Connections = 3' });
    expect(errors.checkLines).toEqual([expect.stringContaining('more than 2000000 items')]);
  });

  test('a file with a bad disk under it is an error, not a crash', async () => {
    const disk = await diskWith({ [MAIN]: 'include "x"', '/etc/impetus/x': '' });
    disk.fail({ operation: 'read', path: '/etc/impetus/x' });
    await expect(
      loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] }),
    ).rejects.toMatchObject({ message: `${MAIN}:1:1: error: cannot read /etc/impetus/x: EIO` });
  });

  test('a directory that cannot be looked into is an error: what it hides may be the configuration that counts', async () => {
    const disk = await diskWith('include "/d"');
    await disk.makeDirectory('/d');
    disk.fail({ operation: 'status', path: '/etc/node' }, 'EACCES');
    disk.fail({ operation: 'list', path: '/d' }, 'EACCES');
    await expect(
      loadConfiguration({ disk, clock, searchPath: ['/etc/node', '/etc/impetus'], declared, modules: [] }),
    ).rejects.toMatchObject({ checkLines: ['error: cannot read /etc/node/impetus.conf: permission denied'] });
    await expect(
      loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] }),
    ).rejects.toMatchObject({ checkLines: [`${MAIN}:1:1: error: cannot read /d: permission denied`] });
  });
});

describe('what is wrong is told, all of it and once', () => {
  test('errors of several files come by file and place', async () => {
    const errors = await errorsOf({
      [MAIN]: 'Spol_Base = "/x"\ninclude "more"\nMax_Outbound_Connections = many\nDomian "x" { }\n',
      '/etc/impetus/more':
        'Host "a..b" { }\nDomain "x" { Message_Expiration = 1y\n  Relay_Hosts = ( ) }\nMessage_Expiration 5\n',
    });
    expect(errors.checkLines).toEqual([
      `${MAIN}:1:1: error: unknown option 'Spol_Base' in Global; did you mean 'Spoolbase'?`,
      `${MAIN}:3:28: error: Max_Outbound_Connections = many: expected an integer`,
      `${MAIN}:4:1: error: unknown stanza 'Domian' in Global; did you mean 'Domain'?`,
      '/etc/impetus/more:1:1: error: host "a..b": not a domain name, an address literal or a /regex/',
      '/etc/impetus/more:2:35: error: Message_Expiration = 1y: expected a duration in seconds, or with a unit as 90s, 5m, 2h, 1d',
      "/etc/impetus/more:3:3: error: 'Relay_Hosts' may not stand in Domain, only in ESMTP_Listener, Global, Listen, Pathway, Pathway_Group, Peer",
      "/etc/impetus/more:4:1: error: '=' is missing between 'Message_Expiration' and '5'",
    ]);
  });

  test("Momentum's form of an unknown name", async () => {
    expect((await errorsOf('\n\nspol_base = x')).consoleLines).toEqual([
      "CFG-07961 No module provides capability 'config.Global:spol_base'.",
      `Syntax error in ${MAIN} at line 3 near 'spol_base'`,
      "'spol_base' is not a valid scope name in scope 'Global'",
      'Reconfigure failed.',
    ]);
  });

  test.each([
    ['ESMTP_Listener "x" { }', '1:1: error: ESMTP_Listener has no name: there is one only'],
    ['Domain { }', '1:1: error: Domain needs a name: write Domain "…" { }'],
    ['Domain = 5', "1:1: error: 'Domain' is a stanza: write Domain { … }"],
    ['Gateway { }', "1:1: error: 'Gateway' is an option: write Gateway = …"],
    ['Binding "a b" { }', '1:1: error: the name of the binding "a b" holds a blank'],
    ['Binding "a:b" { }', '1:1: error: the name of the binding "a:b" holds a \':\''],
    ['Binding "#a" { }', '1:1: error: the name of the binding "#a" begins with \'#\''],
    ['ESMTP_Listener { Listen "25" { } }', '1:18: error: Listen "25": write ":25"'],
    [
      'ESMTP_Listener { Peer "mail.example" { } }',
      '1:18: error: Peer "mail.example": not an address or a block as 10.0.0.0/8',
    ],
    [
      'Domain "/a++/" { }',
      '1:1: error: domain "/a++/": expected a regular expression that JavaScript can express, without a possessive quantifier',
    ],
    [
      'ESMTP_Listener { Listen ":25" { } } HTTP_Listener { Listen "*:25" { } }',
      '1:53: error: Listen "*:25": already used by ESMTP_Listener',
    ],
    ['ESMTP_Listener { Pathway = "nowhere" }', '1:28: error: Pathway = nowhere: there is no pathway of that name'],
    [
      'scriptlet "a" { } scriptlet "b" { }',
      '1:19: error: Scriptlet "b": only one name may be used for scriptlets, and Scriptlet "a" is there',
    ],
    ['Match_Cache_Size = 0', '1:20: error: Match_Cache_Size = 0: expected an integer from 1 to 10000000'],
    ['TLS = sometimes', '1:7: error: TLS = sometimes: expected one of no, ifavailable, required'],
    [
      'Relay_Hosts = ( mail.example )',
      "1:15: error: Relay_Hosts = ( mail.example ): expected a list of addresses and blocks as 10.0.0.0/8; 'mail.example' is none",
    ],
  ])('%s', async (source, line) => {
    expect((await errorsOf(source)).checkLines).toEqual([`${MAIN}:${line}`]);
  });

  test('a value that a later one replaces is checked as well', async () => {
    expect((await errorsOf('Message_Expiration = x Message_Expiration = 5')).errors).toHaveLength(1);
  });

  test('a file included twice complains once', async () => {
    expect(
      (await errorsOf({ [MAIN]: 'include "x" include "x"', '/etc/impetus/x': 'a b\nNo_Such = 1' })).checkLines,
    ).toHaveLength(2);
  });

  test('lines that are not UTF-8 are named, and the rest is judged too', async () => {
    const disk = await diskWith('');
    await disk.replace(MAIN, Buffer.from('Message_Expiration = 1\nSpoolbase = "\xe9"\nNo_Such = 1\n', 'latin1'));
    await expect(
      loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] }),
    ).rejects.toMatchObject({
      checkLines: [
        `${MAIN}:2:14: error: this line is not UTF-8`,
        expect.stringContaining(`${MAIN}:3:1: error: unknown option 'No_Such'`),
      ],
    });
  });

  test('what is worth knowing stops nothing', async () => {
    const { configuration } = await configured(
      'ESMTP_Listener { Peer "10.1.2.3/8" { } Pool_Name = "nobody" Context [ a = 1 A = 2 a = 3 ] AuthLoginParameters [ uri = x URI = y ] }',
      declared,
    );
    expect(configuration.notices.filter((notice) => notice.kind === 'warning').map((notice) => notice.text)).toEqual([
      'Peer "10.1.2.3/8": bits behind the prefix are ignored, it means 10.0.0.0/8',
      'Pool_Name = nobody: there is no threadpool of that name, the default one is used',
      "the key 'a' appears twice in Context: the last one counts",
      "the key 'URI' appears twice in AuthLoginParameters: the last one counts",
    ]);
  });
});

describe('what nobody serves yet', () => {
  test('is accepted, checked, and told; what is inside an unserved stanza is told once', async () => {
    const { configuration } = await configured(
      'TLS = required\nopendkim "k" { key = "/x" }\nfbl { enabled = false }\nMax_Outbound_Connections = 4',
      declared,
      ['fbl'],
    );
    expect(
      configuration.notImplemented.map(({ place, text: what }) => `${place.line}:${place.column} ${what}`),
    ).toEqual(['1:1 TLS in Global', '2:1 Opendkim in Global', '3:7 Enabled in FBL']);
  });

  test('and the lines to print say so', async () => {
    const { configuration } = await configured('TLS = required ESMTP_Listener { Peer "10.1.2.3/8" { } }', declared);
    expect(configuration.notices.map((notice) => notice.line)).toEqual([
      `${MAIN}:1:1: not implemented yet: TLS in Global`,
      `${MAIN}:1:33: warning: Peer "10.1.2.3/8": bits behind the prefix are ignored, it means 10.0.0.0/8`,
    ]);
  });

  test('and errors in it are errors', async () => {
    expect((await errorsOf('opendkim "k" { body_canon = strict }')).checkLines).toEqual([
      `${MAIN}:1:29: error: body_canon = strict: expected one of simple, relaxed`,
    ]);
  });
});

describe('declarations', () => {
  test('an option has scopes and default of the catalogue, or a default of ours', () => {
    expect(maxOutboundConnections).toMatchObject({
      initial: 32,
      dynamic: true,
      scopes: ['binding', 'binding_group', 'domain', 'global', 'host'],
    });
    expect(spoolbase).toMatchObject({ initial: '/var/spool/impetus', dynamic: false });
  });

  test('a name that means several options needs a scope', () => {
    expect(() => option('heartbeat', duration)).toThrow('name a scope, one of');
    expect(option('heartbeat', duration, { scope: 'bounce_logger' }).scopes).toEqual(['bounce_logger']);
  });

  test.each([
    ['no_such_option', 'the catalogue has no option'],
    ['gateway', 'declare it as optional'],
  ])('%s is refused as declared', (name, why) => {
    expect(() => option(name, text)).toThrow(why);
  });

  test('an option of our own is known where it was declared for', async () => {
    const own = ownOption('max_resident_bytes', integer, {
      scopes: ['global'],
      initial: 64,
      summary: 'bodies kept in memory',
    });
    const { configuration } = await configured('Max_Resident_Bytes = 5', [own]);
    expect(configuration.current.global.get(own)).toBe(5);
    expect(() => ownOption('gateway', optional(text), { scopes: ['domain'], initial: undefined, summary: '' })).toThrow(
      'use option',
    );
  });

  test('a module of our own has its stanza, with the options that all modules have', async () => {
    const own = ownOption('rules', optional(text), { scopes: ['sink'], initial: undefined, summary: '' });
    const enabled = option('enabled', boolean, { scope: '*module' });
    const { configuration } = await configured('sink "s" { Rules = x Enabled = no }', [own, enabled], ['sink']);
    expect(configuration.current.stanza('sink', 's').get(own)).toBe('x');
    expect(configuration.current.stanza('sink', 's').get(enabled)).toBe(false);
  });
});

test('random bytes in every file lead to a configuration or to ConfigErrors', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .string({
        unit: fc.constantFrom(
          'Domain',
          '"a.b"',
          '{',
          '}',
          '=',
          '1',
          'TLS',
          '(',
          ')',
          '[',
          ']',
          ' ',
          '\n',
          'include "x"',
        ),
        maxLength: 40,
      })
      .map((each) => Buffer.from(each)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (main, other) => {
      const disk = await diskWith({ [MAIN]: '', '/etc/impetus/x': '' });
      await disk.replace(MAIN, Buffer.concat([Buffer.from('include "x"\n'), main]));
      await disk.replace('/etc/impetus/x', other);
      try {
        await loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigErrors);
      }
    }),
    { numRuns: 300 },
  );
});
