import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { simProcess, simWorld } from '../world/sim/index.ts';
import { checkProgram, validateProgram } from './check.ts';

type Files = Readonly<Record<string, string>>;

interface Said {
  readonly code: number;
  readonly said: string;
  readonly complained: string;
}

async function run(
  program: typeof checkProgram,
  files: Files,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const world = simWorld();
  for (const [path, text] of Object.entries(files)) {
    await world.disk.makeDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
    await world.disk.replace(path, Buffer.from(text));
  }
  const process = simProcess({ environment });
  const code = await program(world, process, words);
  return { code, said: process.said, complained: process.complained };
}

const check = (text: string, ...words: readonly string[]) => run(checkProgram, { '/c': text }, ['-c', '/c', ...words]);
const validate = (text: string, ...words: readonly string[]) =>
  run(validateProgram, { '/c': text }, ['-c', 'c', ...words]);

describe('impetus check', () => {
  test('a valid configuration: what is not implemented and the verdict, exit code 0', async () => {
    expect(await check('Spool_Backup = "/x"\n')).toEqual({
      code: 0,
      said: '/c:1:1: not implemented yet: Spool_Backup in Global\nConfiguration valid\n',
      complained: '',
    });
  });

  test('an invalid one: all errors on standard error, nothing on standard output, 1', async () => {
    const result = await check('Spol_Base = "/x"\nMax_Retries = many\n');
    expect(result).toMatchObject({ code: 1, said: '' });
    expect(result.complained.split('\n')).toEqual([
      "/c:1:1: error: unknown option 'Spol_Base' in Global; did you mean 'Spoolbase'?",
      expect.stringContaining('/c:2:15: error: Max_Retries = many: expected'),
      '',
    ]);
  });

  test('none: 2', async () => {
    expect(await run(checkProgram, {}, ['-c', '/no'])).toEqual({
      code: 2,
      said: '',
      complained: 'error: cannot read /no: no such file or directory\n',
    });
  });

  test('words that make no sense: 2, with the usage', async () => {
    expect(await check('', '--pedentic')).toMatchObject({ code: 2, said: '' });
  });

  test('--pedantic warns, and --warnings-as-errors makes that exit code 1', async () => {
    const plain = await check('Force_Fsync = no\n', '--pedantic');
    expect(plain).toEqual({
      code: 0,
      said: '/c:1:1: warning: Force_Fsync is false: a power cut may lose mail that was acknowledged [force-fsync]\nConfiguration valid\n',
      complained: '',
    });
    expect(await check('Force_Fsync = no\n', '--pedantic', '--warnings-as-errors')).toEqual({ ...plain, code: 1 });
    expect((await check('Force_Fsync = no\n', '--warnings-as-errors')).code).toBe(0);
  });

  test.each<[string, Files, string | undefined]>([
    ['a directory that can be made', {}, undefined],
    ['a directory that is a file', { '/data/impetus': '' }, '/data/impetus is no directory'],
    ['a file that is a directory', { '/data/impetus/api.db/x': '' }, 'it is no file'],
  ])('the store of mail by HTTP, with %s', async (_, files, why) => {
    const text = 'API_Store_File = "/data/impetus/api.db"\nHTTP_Listener { Listen "127.0.0.1:2081" { } }\n';
    const { code, said } = await run(checkProgram, { '/c': text, ...files }, ['-c', '/c']);
    expect(code).toBe(0);
    expect(said).toBe(
      `${why === undefined ? '' : `/c:1:18: warning: API_Store_File = /data/impetus/api.db: ${why}: mail by HTTP would be answered with 503\n`}Configuration valid\n`,
    );
    const unserved = await run(checkProgram, { '/c': text.split('\n')[0] ?? '', ...files }, ['-c', '/c']);
    expect(unserved.said).toBe('Configuration valid\n');
  });

  test('a directory for the store that is shut is named, and where the listener stands when the option is not set', async () => {
    const world = simWorld();
    await world.disk.makeDirectory('/var', 0o555);
    world.disk.put('/c', 'HTTP_Listener { Listen "127.0.0.1:2081" { } }\n');
    const process = simProcess();
    expect(await checkProgram(world, process, ['-c', '/c'])).toBe(0);
    expect(process.said).toBe(
      '/c:1:17: warning: API_Store_File = /var/lib/impetus/api.db: /var is not open to this user for writing, and /var/lib cannot be made in it: mail by HTTP would be answered with 503\nConfiguration valid\n',
    );
  });

  test('--syntax-only takes any names', async () => {
    expect(await check('Nothing = 1\n', '--syntax-only')).toEqual({ code: 0, said: 'Syntax valid\n', complained: '' });
    expect((await check('Nothing 1\n', '--syntax-only')).code).toBe(1);
    // Rules need a configuration that is more than grammar.
    expect((await check('', '--syntax-only', '--pedantic')).code).toBe(2);
  });

  test('--no-files does not look at keys', async () => {
    expect((await check('TLS_Key = "/k"\n')).code).toBe(1);
    expect((await check('TLS_Key = "/k"\n', '--no-files')).code).toBe(0);
  });

  test('--node reads what that node would read', async () => {
    const files = {
      '/etc/impetus/conf/mx1/impetus.conf': 'Max_Retries = x',
      '/etc/impetus/conf/default/impetus.conf': '',
      '/n/mx2/impetus.conf': 'Max_Retries = y',
    };
    expect((await run(checkProgram, files, [])).code).toBe(0);
    expect((await run(checkProgram, files, ['--node', 'mx1'])).complained).toContain(
      '/conf/mx1/impetus.conf:1:15: error',
    );
    const environment = { EC_CONF_SEARCH_PATH: '/n/{NODENAME}' };
    expect((await run(checkProgram, files, ['--node', 'mx2'], environment)).complained).toContain(
      '/n/mx2/impetus.conf',
    );
    expect(await run(checkProgram, files, ['--node', '../x'])).toMatchObject({
      code: 1,
      complained: expect.stringContaining("'../x' cannot be the name of a node"),
    });
  });

  test('--json: one object with a stable shape, valid or not', async () => {
    const text = 'Spol_Base = 1\nTLS_Key = "/k"\nESMTP_Listener { Peer "10.1.2.3/8" { } }\nSpool_Backup = "/x"\n';
    const invalid = await check(text, '--json');
    expect(invalid).toMatchObject({ code: 1, complained: '' });
    expect(invalid.said.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(invalid.said)).toEqual({
      valid: false,
      errors: [
        {
          file: '/c',
          line: 1,
          column: 1,
          message: "unknown option 'Spol_Base' in Global; did you mean 'Spoolbase'?",
          near: 'Spol_Base',
          suggestion: 'Spoolbase',
          code: 'CFG-07961',
        },
        {
          file: '/c',
          line: 2,
          column: 11,
          message: 'TLS_Key = /k: cannot be read: no such file or directory',
          near: '/k',
        },
      ],
      warnings: [
        {
          file: '/c',
          line: 3,
          column: 18,
          message: 'Peer "10.1.2.3/8": bits behind the prefix are ignored, it means 10.0.0.0/8',
        },
      ],
      notImplemented: expect.arrayContaining([
        { file: '/c', line: 4, column: 1, message: 'Spool_Backup in Global', name: 'spool_backup', scope: 'global' },
      ]),
    });
    expect(JSON.parse((await check('Domain "/a.com/" { }', '--json', '--pedantic')).said)).toEqual({
      valid: true,
      errors: [],
      warnings: [
        {
          file: '/c',
          line: 1,
          column: 1,
          message: expect.stringContaining('is not anchored at either end'),
          rule: 'unanchored-regex',
          suggestion: '"/(^|\\.)a\\.com$/"',
        },
      ],
      notImplemented: [],
    });
    expect(JSON.parse((await run(checkProgram, {}, ['--json'])).said)).toMatchObject({
      valid: false,
      errors: [{ file: null, line: null, column: null, near: null }],
    });
  });

  test('files that parameters name among others are looked for, and their secrets are not shown', async () => {
    const parameters = 'uri = "http://h/i" client_id = "mx" client_secret_file = "/no/secret" ca_file = "/no/ca"';
    const result = await check(`ESMTP_Listener { AuthXOAUTH2Parameters = [ ${parameters} ] }`);
    expect(result.complained.trimEnd().split('\n')).toEqual([
      '/c:1:101: error: AuthXOAUTH2Parameters = /no/secret: cannot be read: no such file or directory',
      '/c:1:124: error: AuthXOAUTH2Parameters = /no/ca: cannot be read: no such file or directory',
    ]);
    const wrong = '[ uri = "https://h/i" client_id = "mx" client_secret = "hush" scop = "x" ]';
    const { complained } = await check(`ESMTP_Listener { AuthOAuthBearerParameters = ${wrong} }`);
    expect(complained).toContain('did you mean scope?');
    expect(complained).not.toContain('hush');
    const sent = await check('ESMTP_Listener { AuthXOAUTH2Parameters = [ uri = "http://h/i" ] }');
    expect([sent.code, sent.said]).toEqual([0, expect.stringContaining('access tokens go to h unencrypted')]);
  });

  test('what stands in a file does not break out of its line', async () => {
    const result = await check(`a "x\ny\u001b[2J"\nTLS_Key = "\u0007"\n${'b'.repeat(5000)} c\n`);
    const lines = result.complained.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe("/c:1:1: error: '=' is missing between 'a' and 'x\\ny\\x1b[2J'");
    expect(lines[1]).toContain('\\x07: cannot be read');
    expect(lines[2]?.length).toBeLessThan(2100);
  });

  test('ten thousand errors are printed, not more, and the end is told', async () => {
    const result = await check('Nothing = 1\n'.repeat(50_000));
    expect(result.complained.trimEnd().split('\n')).toHaveLength(10_001);
  });
});

describe('validate_config', () => {
  test('says Configuration valid, and nothing else on standard output', async () => {
    expect(await validate('TLS = required\n')).toEqual({ code: 0, said: 'Configuration valid\n', complained: '' });
    const pedantic = await validate('Force_Fsync = no\n', '--pedantic');
    expect(pedantic).toMatchObject({ code: 0, said: 'Configuration valid\n' });
    expect(pedantic.complained).toContain('[force-fsync]');
  });

  test('says No configuration found, with 2', async () => {
    expect(await run(validateProgram, {}, [])).toEqual({ code: 2, said: 'No configuration found\n', complained: '' });
  });

  test("an invalid one: nothing on standard output, Momentum's form of every error on the other, 1", async () => {
    expect(await validate('spol_base = 1\nDomain "x" { Max_Retries = no_number }\n')).toEqual({
      code: 1,
      said: '',
      complained: [
        "CFG-07961 No module provides capability 'config.Global:spol_base'.",
        "Syntax error in /c at line 1 near 'spol_base'",
        "'spol_base' is not a valid scope name in scope 'Global'",
        "Syntax error in /c at line 2 near 'no_number'",
        'Max_Retries = no_number: expected an integer',
        'Reconfigure failed.',
        '',
      ].join('\n'),
    });
  });

  test('--json is the same as of impetus check', async () => {
    const text = 'Spol_Base = 1\n';
    expect(await validate(text, '--json')).toEqual(await check(text, '--json'));
  });
});

test.each(['impetus.conf', 'relay.conf'])('etc/%s has nothing that a pedantic check would warn of', async (name) => {
  const text = readFileSync(fileURLToPath(new URL(`../../etc/${name}`, import.meta.url)), 'utf8');
  expect(await check(text, '--pedantic')).toEqual({ code: 0, said: 'Configuration valid\n', complained: '' });
});
