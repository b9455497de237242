import { describe, expect, test } from 'vitest';
import { type SimProcess, type SimWorld, simProcess, simWorld } from '../world/sim/index.ts';
import { dumpProgram, ecDumpConfigProgram } from './dump.ts';

const TEXT = `
# comments are gone
Max_Retries = 3
ESMTP_Listener { include "more" Listen "*:2525" { } }
Domain "/[.]a\\.b$/" { Max_Retries = 4 }
Domain "/[.]a\\.b$/" { Max_Retries = 5 }
`;
const MORE = 'Context [ Key = "x\ny" l = ( 1 "a <b> & \\"c\\"" "d\\te" ) ]';

interface Run {
  readonly code: number;
  readonly world: SimWorld;
  readonly process: SimProcess;
}

async function run(program: typeof dumpProgram, words: readonly string[], text = TEXT): Promise<Run> {
  const world = simWorld();
  await world.disk.replace('/c', Buffer.from(text));
  await world.disk.replace('/more', Buffer.from(MORE));
  const process = simProcess();
  return { code: await program(world, process, words), world, process };
}

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<config>
  <scope type="ESMTP_Listener">
    <scope type="Listen" name="*:2525"/>
    <option name="Context"><item key="Key">x&#xa;y</item><item key="l"><item>1</item><item>a &lt;b&gt; &amp; &quot;c&quot;</item><item>d&#x9;e</item></item></option>
  </scope>
  <scope type="Domain" name="/[.]a\\.b$/">
    <option name="Max_Retries">5</option>
  </scope>
  <option name="Max_Retries">3</option>
</config>
`;

describe('ec_dump_config', () => {
  test('prints the effective configuration as XML', async () => {
    const { code, process } = await run(ecDumpConfigProgram, ['-c', '/c']);
    expect(process.complained).toBe('');
    expect(process.said).toBe(XML);
    expect(code).toBe(0);
  });

  test('or writes it to a file, and takes the folder of modules that old scripts give', async () => {
    const { code, process, world } = await run(ecDumpConfigProgram, ['-c', 'c', '-e', '/opt/x', '-f', 'out.xml']);
    expect(process.said).toBe('');
    expect(Buffer.from(await world.disk.read('/out.xml')).toString()).toBe(XML);
    expect(code).toBe(0);
  });

  test('what XML 1.0 cannot hold makes it XML 1.1', async () => {
    const context = await run(ecDumpConfigProgram, ['-c', '/c'], 'ESMTP_Listener { Context [ k = "\u0001" ] }');
    expect(context.process.said).toMatch(/^<\?xml version="1\.1".*<item key="k">&#x1;<\/item>/s);
  });

  test("an invalid one gives Momentum's error text, and 1", async () => {
    const { code, process } = await run(ecDumpConfigProgram, ['-c', '/c'], 'spol_base = x');
    expect(code).toBe(1);
    expect(process.said).toBe('');
    expect(process.complained).toBe(
      [
        "CFG-07961 No module provides capability 'config.Global:spol_base'.",
        "Syntax error in /c at line 1 near 'spol_base'",
        "'spol_base' is not a valid scope name in scope 'Global'",
        'Reconfigure failed.',
        '',
      ].join('\n'),
    );
  });

  test('none: No configuration found, and 1', async () => {
    const { code, process } = await run(ecDumpConfigProgram, ['-c', '/no']);
    expect([code, process.complained]).toEqual([1, 'No configuration found\n']);
  });

  test('a file that cannot be written: 1, and why', async () => {
    const world = simWorld();
    await world.disk.replace('/c', Buffer.from(''));
    world.disk.fail({ operation: 'replace', path: '/o' }, 'EACCES');
    const process = simProcess();
    expect(await ecDumpConfigProgram(world, process, ['-c', '/c', '-f', '/o'])).toBe(1);
    expect(process.complained).toBe('cannot write /o: EACCES\n');
  });

  test('an empty configuration is an empty element', async () => {
    const { process } = await run(ecDumpConfigProgram, ['-c', '/c'], '');
    expect(process.said).toBe('<?xml version="1.0" encoding="UTF-8"?>\n<config/>\n');
  });
});

describe('impetus dump', () => {
  test('prints text that is read as the same configuration', async () => {
    const first = await run(dumpProgram, ['-c', '/c']);
    expect(first.process.said).toContain('Domain "/[.]a\\\\.b$/" {\n  Max_Retries = 5\n');
    const again = await run(dumpProgram, ['-c', '/c', '--text'], first.process.said);
    expect(again.process.said).toBe(first.process.said);
  });

  test('or JSON', async () => {
    const { process } = await run(dumpProgram, ['-c', '/c', '--json']);
    expect(JSON.parse(process.said)).toEqual({
      type: 'Global',
      options: { Max_Retries: '3' },
      scopes: [
        {
          type: 'ESMTP_Listener',
          options: { Context: { Key: 'x\ny', l: ['1', 'a <b> & "c"', 'd\te'] } },
          scopes: [{ type: 'Listen', name: '*:2525', options: {}, scopes: [] }],
        },
        {
          type: 'Domain',
          name: '/[.]a\\.b$/',
          options: { Max_Retries: '5' },
          scopes: [],
        },
      ],
    });
  });

  test('or the XML of ec_dump_config', async () => {
    expect((await run(dumpProgram, ['-c', '/c', '--xml'])).process.said).toBe(XML);
  });

  test('one form at a time', async () => {
    const { code, process } = await run(dumpProgram, ['-c', '/c', '--xml', '--json']);
    expect([code, process.complained]).toEqual([2, 'impetus dump: --json or --xml, not both\n']);
  });

  test('an invalid one: the errors as impetus check prints them', async () => {
    const { code, process } = await run(dumpProgram, ['-c', '/c'], 'a b');
    expect([code, process.complained]).toEqual([1, "/c:1:1: error: '=' is missing between 'a' and 'b'\n"]);
  });
});
