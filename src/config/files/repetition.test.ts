import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configured, diskWith, MAIN } from '../../../test/support/configuration.ts';
import { bindingName, type Domain } from '../../base/index.ts';
import { nodeWorld } from '../../world/node/index.ts';
import { simWorld } from '../../world/sim/index.ts';
import { arrayOf, integer, loadConfiguration, option, optional, text } from '../index.ts';
import { printTree } from '../tree/print-tree.ts';

const maxOutboundConnections = option('max_outbound_connections', integer);
const smtpExtensions = option('smtp_extensions', optional(arrayOf(text)));
const gateway = option('gateway', optional(text));
const declared = [maxOutboundConnections, smtpExtensions, gateway];

/** Everything in one text, as the tree has it. */
async function flat(files: string | Readonly<Record<string, string>>): Promise<string> {
  return printTree((await configured(files, declared)).configuration.current.tree);
}

describe('what is said twice', () => {
  test('scopes of every kind are merged, over files, by their path and canonical name', async () => {
    expect(
      await flat({
        [MAIN]:
          'Binding_Group g { Binding r1 { Gateway = a } } include "b" ESMTP_Listener { Listen ":25" { Idle_Time = 1 } }',
        '/etc/impetus/b':
          'binding_group "g" { BINDING "r1" { Blackhole = true } Gateway = b } esmtp_listener { listen "*:25" { Idle_Time = 2 } Peer "10.0.0.0/8" { } peer 10.0.0.0/8 { Idle_Time = 3 } }',
      }),
    ).toBe(
      [
        'Binding_Group "g" {',
        '  Binding "r1" {',
        '    Gateway = a',
        '    Blackhole = true',
        '  }',
        '  Gateway = b',
        '}',
        'ESMTP_Listener {',
        '  Listen "*:25" {',
        '    Idle_Time = 1',
        '  }',
        '  Peer "10.0.0.0/8" {',
        '    Idle_Time = 3',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
  });

  test('scriptlets of one name are merged', async () => {
    expect(
      await flat('scriptlet "s" { script "a" { source = "/a" } } scriptlet "s" { script "b" { source = "/b" } }'),
    ).toBe('Scriptlet "s" {\n  Script "a" {\n    Source = "/a"\n  }\n  Script "b" {\n    Source = "/b"\n  }\n}\n');
  });

  test('a later array or dictionary replaces the one before, and nothing is appended', async () => {
    expect(
      await flat(
        'ESMTP_Listener { SMTP_Extensions = ( PIPELINING SIZE ) Context [ a = 1 b = 2 ] } ESMTP_Listener { SMTP_Extensions = ( STARTTLS ) Context [ c = 3 ] }',
      ),
    ).toBe('ESMTP_Listener {\n  SMTP_Extensions = ( STARTTLS )\n  Context = [ c = 3 ]\n}\n');
  });

  test('also across scopes: the more specific array hides the other one, even when it is empty', async () => {
    const { configuration } = await configured(
      'ESMTP_Listener { SMTP_Extensions = ( PIPELINING ) Listen ":25" { SMTP_Extensions = ( ) } Listen ":26" { } }',
      declared,
    );
    expect(configuration.current.listens().map(({ view }) => view.get(smtpExtensions))).toEqual([[], ['PIPELINING']]);
  });

  test('patterns are asked in the order of their first appearance, over files; keys stay in order too', async () => {
    const files = {
      [MAIN]: 'include "x" Domain "/b/" { Gateway = main } Domain "/a/" { Blackhole = true }',
      '/etc/impetus/x': 'Domain "/ab/" { Gateway = first } Domain "/a/" { Gateway = second }',
    };
    const { configuration } = await configured(files, declared);
    const gatewayOf = (domain: string): string | undefined =>
      configuration.current.sending('default', bindingName('default'), domain as Domain).get(gateway);
    expect(['abx.test', 'xa.test', 'b.test'].map(gatewayOf)).toEqual(['first', 'second', 'main']);
    expect(await flat('ESMTP_Listener { Context [ b = 1 a = 2 b = 3 ] }')).toContain('[ b = 1 a = 2 b = 3 ]');
  });
});

describe('include', () => {
  test('is legal in any scope, in any case, and stands for the items of the file', async () => {
    expect(
      await flat({
        [MAIN]: 'ESMTP_Listener { Listen ":25" { INCLUDE "in" } } Binding r { ReadOnly_Include "in2" }',
        '/etc/impetus/in': 'Idle_Time = 1 Peer "10.0.0.0/8" { }',
        '/etc/impetus/in2': 'Gateway = g',
      }),
    ).toBe(
      'ESMTP_Listener {\n  Listen ":25" {\n    Peer "10.0.0.0/8" {\n    }\n    Idle_Time = 1\n  }\n}\nBinding "r" {\n  Gateway = g\n}\n',
    );
  });

  test('what may not stand in the scope around may not stand in the file either', async () => {
    await expect(
      configured({ [MAIN]: 'Domain a.b { include "in" }', '/etc/impetus/in': 'Relay_Hosts = ( )' }, declared),
    ).rejects.toMatchObject({
      checkLines: [expect.stringContaining("in:1:1: error: 'Relay_Hosts' may not stand in Domain")],
    });
  });

  test.each(['a~', 'a.bak', 'a.swp', 'a.rpmsave', 'a.rpmnew', 'a.dpkg-old'])(
    '%s in a directory is not read, and that is told',
    async (name) => {
      const { configuration } = await configured(
        { [MAIN]: 'include "d"', [`/etc/impetus/d/${name}`]: 'bad bad bad', '/etc/impetus/d/b': '' },
        declared,
      );
      expect(configuration.notices.map((notice) => notice.text)).toEqual([
        `/etc/impetus/d/${name} looks like a leftover of an editor or a package, and was not read`,
      ]);
    },
  );

  test('the order in a directory is that of code units, whatever the locale', async () => {
    const files = ['B', 'a', 'ä', '10', '9', 'Z.conf'].map((name) => [`/etc/impetus/d/${name}`, '']);
    const { configuration } = await configured({ [MAIN]: 'include "d"', ...Object.fromEntries(files) }, declared);
    expect(configuration.files.slice(1).map(({ path }) => path.replace('/etc/impetus/d/', ''))).toEqual([
      '10',
      '9',
      'B',
      'Z.conf',
      'a',
      'ä',
    ]);
  });

  test('a link in a directory is read as the file it leads to, one that leads nowhere is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'impetus-include-'));
    try {
      writeFileSync(join(folder, 'impetus.conf'), 'include "enabled"\n');
      writeFileSync(join(folder, 'there.conf'), 'Max_Outbound_Connections = 5\n');
      const { disk } = nodeWorld();
      await disk.makeDirectory(join(folder, 'enabled'));
      symlinkSync('../there.conf', join(folder, 'enabled', 'here.conf'));
      symlinkSync('../nowhere', join(folder, 'enabled', 'gone.conf'));
      const { clock } = simWorld();
      const { current } = await loadConfiguration({ disk, clock, searchPath: [folder], declared, modules: [] });
      expect(current.global.get(maxOutboundConnections)).toBe(5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a path of the main file with dots in it is one path', async () => {
    const disk = await diskWith({ [MAIN]: 'include "./a" include "../impetus/a"', '/etc/impetus/a': '' });
    const { clock } = simWorld();
    const file = '/etc/./impetus//impetus.conf';
    const { files } = await loadConfiguration({ disk, clock, file, searchPath: [], declared, modules: [] });
    expect(files.map(({ path, readOnly }) => [path, readOnly])).toEqual([
      [MAIN, undefined],
      ['/etc/impetus/a', 'included more than once'],
    ]);
  });
});
