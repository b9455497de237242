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

describe('each kind of error says where, what was found, and what was expected or meant', () => {
  test.each([
    // spec: lexical rules
    ['\n  A = "x', 'this " is never closed', '2:7', 'x'],
    ["A = 'x\n", "this ' is never closed", '1:5', 'x'],
    ['/* x', 'the comment that begins on line 1 is never closed', '1:1', '/*'],
    ['Max_Retries = 5 ;', "there is no ';' in this language", '1:17', ';'],
    ['Max_Retries = 5;', 'there is no such terminator', '1:15', '5;'],
    ['Max.Retries = 5', 'a name is made of letters, digits and _', '1:1', 'Max.Retries'],
    ['Spoolbase = "/x\0"', 'a NUL character', '1:16', '\\0'],
    // spec: grammar
    ['Max_Retries 5', "'=' is missing between 'Max_Retries' and '5'", '1:1', 'Max_Retries'],
    ['Max_Retries', "'=' or '{' is missing behind 'Max_Retries'", '1:1', 'Max_Retries'],
    ['Relay_Hosts = ( 10.0.0.1', "this '(' is never closed", '1:15', '('],
    ['ESMTP_Listener { Context [ a b ] }', "'=' is missing behind the key 'a'", '1:28', 'a'],
    ['ESMTP_Listener { Context [ a = [ b = c ] ] }', 'a dictionary inside a dictionary', '1:32', '['],
    ['ESMTP_Listener {', "the '{' of ESMTP_Listener is never closed", '1:16', 'ESMTP_Listener'],
    ['}', "'}' without '{'", '1:1', '}'],
    ['"x" = 1', 'a name must stand here, not the quoted text "x"', '1:1', 'x'],
    // spec: value types
    ['Force_Fsync = maybe', 'expected a boolean, true or false', '1:15', 'maybe'],
    ['Max_Outbound_Connections = 1.5', 'expected an integer', '1:28', '1.5'],
    ['Max_Outbound_Connections = 9223372036854775808', 'expected an integer of 64 bits', '1:28', '9223372036854775808'],
    ['Memory_HWM = 101', 'expected', '1:14', '101'],
    ['Spool_Mode = 0689', 'expected an octal mode as 0640', '1:14', '0689'],
    ['Retry_Interval = 5y', 'expected a duration', '1:18', '5y'],
    ['Outbound_Throttle_Messages = 5/0', 'over at least 1 second', '1:30', '5/0'],
    ['TLS = requried', "did you mean 'required'?", '1:7', 'requried'],
    ['Max_Outbound_Connections = ( 1 2 )', 'expected an integer, not an array of 2', '1:28', '( 1 2 )'],
    ['Spoolbase [ a = b ]', 'expected a path, not a dictionary', '1:11', '[ a = b ]'],
    ['Relay_Hosts = ( host.example )', "'host.example' is none", '1:15', '( host.example )'],
    ['Relay_Domains = ( a..b )', "'a..b' is no domain", '1:17', '( a..b )'],
    ['Domain "/(/" { }', 'expected a regular expression', '1:1', '/(/'],
    // spec: the scope tree
    ['Spool_Bsae = "/x"', "did you mean 'Spoolbase'?", '1:1', 'Spool_Bsae'],
    ['ESMTP_Listenr { }', "did you mean 'ESMTP_Listener'?", '1:1', 'ESMTP_Listenr'],
    ['Domain "a.test" { Relay_Hosts = ( ) }', 'may not stand in Domain, only in', '1:19', 'Relay_Hosts'],
    ['Domain "a.test" { Binding "b" { } }', 'may not stand in Domain, only in', '1:19', 'Binding'],
    ['ESMTP_Listener "x" { }', 'has no name: there is one only', '1:1', 'x'],
    ['Domain { }', 'needs a name', '1:1', 'Domain'],
    ['ESMTP_Listener { Listen "25" { } }', 'write ":25"', '1:18', '25'],
    ['ESMTP_Listener { Peer "x" { } }', 'not an address or a block as 10.0.0.0/8', '1:18', 'x'],
    // spec: includes and references
    ['include "gone"', "failed to stat 'gone': no such file or directory", '1:1', 'gone'],
    ['include "impetus.conf"', 'includes itself', '1:1', 'impetus.conf'],
    ['include "http://x/y"', 'http:// is read only with --allow-remote-includes', '1:1', 'http://x/y'],
    ['ESMTP_Listener { Pathway = "gone" }', 'there is no pathway of that name', '1:28', 'gone'],
  ])('%j', async (text, message, place, near) => {
    const result = await checked(text);
    const found = result.errors.filter((error) => error.message.includes(message));
    expect(result.errors.map((error) => error.message).join('\n')).toContain(message);
    expect(found.map((error) => `${error.place?.line}:${error.place?.column}`)).toEqual([place]);
    expect(found[0]?.place?.file).toBe(MAIN);
    expect(found[0]?.near).toContain(near);
  });
});
