import { describe, expect, test } from 'vitest';
import { diskWith, MAIN } from '../../../test/support/configuration.ts';
import { simWorld } from '../../world/sim/index.ts';
import { type CheckOptions, type CheckResult, checkConfiguration } from '../index.ts';

type Files = string | Readonly<Record<string, string>>;

async function checked(
  files: Files,
  asked: Partial<CheckOptions> = {},
  spoil: (disk: Awaited<ReturnType<typeof diskWith>>) => unknown = () => undefined,
): Promise<CheckResult> {
  const disk = await diskWith(files);
  spoil(disk);
  return checkConfiguration({
    disk,
    clock: simWorld().clock,
    searchPath: ['/etc/impetus'],
    declared: [],
    modules: [],
    ...asked,
  });
}

const lines = (result: CheckResult): readonly string[] => result.errors.map((error) => error.checkLine);

describe('the grammar alone', () => {
  const syntaxOnly = { syntaxOnly: true };

  test('any names and any values are right', async () => {
    const result = await checked('No_Such = ( 1 )\nNowhere "x" { TLS = sometimes Pathway = none }\n', syntaxOnly);
    expect(result).toMatchObject({ outcome: 'valid', errors: [], configuration: undefined });
  });

  test('errors of all files are told, each once, though a file is included twice', async () => {
    const result = await checked(
      {
        [MAIN]: 'a b\nx { include "more" }\ninclude "more"\ninclude "gone"',
        '/etc/impetus/more': 'c d\ninclude "impetus.conf"',
      },
      syntaxOnly,
    );
    expect(result.outcome).toBe('invalid');
    expect(lines(result)).toEqual([
      `${MAIN}:1:1: error: '=' is missing between 'a' and 'b'`,
      `${MAIN}:4:1: error: failed to stat 'gone': no such file or directory`,
      "/etc/impetus/more:1:1: error: '=' is missing between 'c' and 'd'",
      `/etc/impetus/more:2:1: error: '${MAIN}' includes itself: ${MAIN} → /etc/impetus/more → ${MAIN}`,
    ]);
  });

  test('without a file there is none', async () => {
    expect((await checked({ '/x/y': '' }, syntaxOnly)).outcome).toBe('none');
    expect((await checked('', { ...syntaxOnly, file: '/no/such' })).outcome).toBe('none');
  });
});

describe('files that options name for reading', () => {
  const DKIM = 'opendkim "k" { key = "/keys/%{d}.pem" }\n';

  test.each([
    [
      'TLS_Certificate = "/no/cert"',
      ':1:19: error: TLS_Certificate = /no/cert: cannot be read: no such file or directory',
    ],
    [
      'Domain "a.test" { TLS_Key = "/etc/impetus" }',
      ':1:29: error: TLS_Key = /etc/impetus: cannot be read: it is a directory',
    ],
    ['TLS_Client_CA = "gone.pem"', ':1:17: error: TLS_Client_CA = gone.pem: cannot be read: no such file or directory'],
    [
      'ESMTP_Listener { AuthLoginParameters [ log_authentication = "true" URI = "digest:///no/passwd" ] }',
      ':1:74: error: AuthLoginParameters = /no/passwd: cannot be read: no such file or directory',
    ],
    [
      'scriptlet "s" { script "x" { source = "/no/x.lua" } }',
      ':1:39: error: Source = /no/x.lua: cannot be read: no such file or directory',
    ],
    ['opendkim "k" { key = "/no/key" }', ':1:22: error: Key = /no/key: cannot be read: no such file or directory'],
  ])('%s', async (text, line) => {
    const result = await checked(text);
    expect(lines(result)).toEqual([`${MAIN}${line}`]);
    expect(result.errors[0]?.near).toMatch(/^\/|gone/);
    expect((await checked(text, { files: false })).outcome).toBe('valid');
  });

  test('those that are there, directories of authorities, macros, and what is no file are right', async () => {
    const result = await checked({
      [MAIN]: `TLS_Certificate = "/c"\nTLS_Key = "beside.pem"\nTLS_CA = "/etc/impetus"\n${DKIM}ESMTP_Listener { AuthLoginParameters [ uri = "pgsql:///db" ] Listen ":25" { AuthPlainParameters [ uri = "file:///p" ] } }`,
      '/c': '',
      '/p': '',
      '/etc/impetus/beside.pem': '',
    });
    expect(lines(result)).toEqual([]);
  });

  test('one that may not be read is an error', async () => {
    const result = await checked({ [MAIN]: 'TLS_Key = "/k"', '/k': '' }, {}, (disk) =>
      disk.fail({ operation: 'open', path: '/k' }, 'EACCES'),
    );
    expect(lines(result)).toEqual([`${MAIN}:1:11: error: TLS_Key = /k: cannot be read: permission denied`]);
  });

  test('they are told together with all other errors', async () => {
    const result = await checked('No_Such = 1\nTLS_Key = "/k"\nTLS = requird');
    expect(lines(result)).toEqual([
      expect.stringContaining(":1:1: error: unknown option 'No_Such' in Global"),
      expect.stringContaining(':2:11: error: TLS_Key = /k: cannot be read'),
      `${MAIN}:3:7: error: TLS = requird: expected one of no, ifavailable, required; did you mean 'required'?`,
    ]);
  });
});

test("an unknown name has the nearest one, and Momentum's code", async () => {
  const result = await checked('Spol_Base = "/x"\nPathway "inside" { }\nESMTP_Listener { Pathway = insid }');
  expect(result.errors[0]).toMatchObject({ suggestion: 'Spoolbase', code: 'CFG-07961', near: 'Spol_Base' });
  const reference = await checked('Pathway "inside" { }\nESMTP_Listener { Pathway = insid }');
  expect(reference.errors[0]).toMatchObject({ suggestion: 'inside', code: undefined, near: 'insid' });
  expect(lines(reference)).toEqual([
    `${MAIN}:2:28: error: Pathway = insid: there is no pathway of that name; did you mean 'inside'?`,
  ]);
});

test('an invalid configuration tells its warnings as well', async () => {
  const result = await checked('No_Such = 1\nESMTP_Listener { Peer "10.1.2.3/8" { } }\nTLS = no');
  expect(result.warnings.map((each) => each.text)).toEqual([expect.stringContaining('bits behind the prefix')]);
  expect(result.notImplemented.map((each) => each.text)).toContain('TLS in Global');
});

test('a valid one can be used, and pedantic rules are asked only when they are wanted', async () => {
  const plain = await checked('Force_Fsync = false');
  expect(plain.configuration?.current.number).toBe(1);
  expect(plain.warnings).toEqual([]);
  expect((await checked('Force_Fsync = false', { pedantic: true })).warnings).toHaveLength(1);
});
