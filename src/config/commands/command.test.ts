import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import {
  array,
  boolean,
  configCommand,
  configSession,
  duration,
  enumeration,
  integer,
  type LiveConfiguration,
  mode,
  option,
  optional,
  text,
  writeConfigCommand,
} from '../index.ts';

const declared = [
  option('message_expiration', duration),
  option('max_outbound_connections', integer),
  option('enable', boolean),
  option('listener_sessions', integer),
  option('smtp_extensions', optional(array)),
  option('relay_for_sending_domains', optional(array)),
  option('gateway', optional(text)),
  option('file_mode', mode, { scope: 'listen' }),
  option('tls', enumeration('no', 'ifavailable', 'required')),
  option('generate_bounces', boolean),
  option('idle_time', duration),
];

const TEXT = `
Message_Expiration = 172800
ESMTP_Listener {
  Listener_Sessions = 100
  SMTP_Extensions = ( PIPELINING "AUTH LOGIN" )
  Listen ":25" { Enable = true Peer "10.0.0.0/8" { Listener_Sessions = 40 } }
  Peer "10.1.0.0/16" { Listener_Sessions = 7 }
}
Domain "mx.test" { Max_Outbound_Connections = 40 }
Domain "/[.]test$/" { Max_Outbound_Connections = 7 }
Binding_Group "g" { Binding "b" { Max_Outbound_Connections = 9 Domain "x.test" { } } Host "in.mx.test" { Max_Outbound_Connections = 2 } }
Pathway_Group "pg" { Idle_Time = 31 Pathway "inner" { } }
`;

interface Console {
  readonly configuration: LiveConfiguration;
  says(words: string): Promise<readonly string[]>;
}

async function consoleOf(
  source = TEXT,
): Promise<Console & { readonly files: { replace(text: string): Promise<void> } }> {
  const { configuration, disk } = await configured(source, declared);
  const session = configSession();
  return {
    configuration,
    says: async (words) => (await configCommand(configuration, session, words)).lines,
    files: { replace: (next) => disk.replace(MAIN, Buffer.from(next)) },
  };
}

describe('each command answers as the manual says', () => {
  test.each<[string, readonly string[]]>([
    ['get message_expiration', ['Message_Expiration = 172800']],
    ['get tls', ["Option 'TLS' is not set in scope ''."]],
    ['get esmtp_listener listener_sessions', ['\tListener_Sessions = 100']],
    ['get esmtp_listener SMTP_Extensions', ['\tSMTP_Extensions = ( PIPELINING "AUTH LOGIN" )']],
    ['get esmtp_listener listen *:25 enable', ['\tEnable = true']],
    [
      'get esmtp_listener listen *:25 listener_sessions',
      ["Option 'Listener_Sessions' is not set in scope 'esmtp_listener listen *:25'."],
    ],
    ['get esmtp_listener listen :26 enable', ["Option 'Enable' is not set in scope 'esmtp_listener listen :26'."]],

    ['eval message_expiration', ['Message_Expiration = 172800']],
    ['eval domain MX.test. max_outbound_connections', ['Max_Outbound_Connections = 40']],
    ['eval domain a.test max_outbound_connections', ['Max_Outbound_Connections = 7']],
    ['eval domain "/[.]test$/" max_outbound_connections', ['Max_Outbound_Connections = 7']],
    ['eval domain "/no such/" message_expiration', ['Message_Expiration = 172800']],
    ['eval binding b max_outbound_connections', ['Max_Outbound_Connections = 9']],
    ['eval binding_group g binding b domain x.test max_outbound_connections', ['Max_Outbound_Connections = 9']],
    ['eval binding_group g binding b message_expiration', ['Message_Expiration = 172800']],
    ['eval binding_group g binding b host in.mx.test max_outbound_connections', ['Max_Outbound_Connections = 2']],
    ['eval host in.mx.test max_outbound_connections', ['Max_Outbound_Connections = -1']],
    ['eval esmtp_listener listener_sessions', ['Listener_Sessions = 100']],
    ['eval esmtp_listener listen :25 listener_sessions', ['Listener_Sessions = 100']],
    ['eval esmtp_listener listen :25 peer 10.1.2.3 listener_sessions', ['Listener_Sessions = 40']],
    ['eval esmtp_listener peer 10.1.2.3 listener_sessions', ['Listener_Sessions = 7']],
    ['eval esmtp_listener peer 10.0.0.0/8 listener_sessions', ['Listener_Sessions = 100']],
    ['eval pathway inner idle_time', ['Idle_Time = 31']],
    ['eval pathway_group pg pathway other idle_time', ['Idle_Time = 31']],
    ['eval generate_bounces', ['Generate_Bounces = 1']],
    ['eval esmtp_listener file_mode', ['File_Mode = 0660']],
    ['eval gateway', ['Gateway is not set and has no default.']],
    ['eval retry_interval', ['Retry_Interval = 1200']],
    ['eval threadpool IO concurrency', ['Concurrency = 50']],
    ['eval ec_logger mainlog', ['Mainlog = "/var/log/ecelerity/mainlog.ec"']],

    ['set message_expiration 86400', ['Message_Expiration = 86400']],
    ['set message_expiration = "2 hours"', ['Message_Expiration = "2 hours"']],
    ['set generate_bounces on', ['Generate_Bounces = on']],
    ['set generate_bounces "Enabled"', ['Generate_Bounces = "Enabled"']],
    ['set message_expiration 5 # and why', ['Message_Expiration = 5']],
    ['set domain y.test max_outbound_connections 5', ['Max_Outbound_Connections = 5']],
    ['set esmtp_listener listen *:25 enable false', ['Enable = false']],
    ['set esmtp_listener SMTP_Extensions ( STARTTLS "AUTH LOGIN" )', ['SMTP_Extensions = ( STARTTLS "AUTH LOGIN" )']],
    [
      'set retry_interval 5',
      ['Warning: "Retry_Interval" is not implemented yet; it changes nothing.', 'Retry_Interval = 5'],
    ],

    [
      'unset domain mx.test max_outbound_connections',
      ['"Max_Outbound_Connections" has been unset. Effective value is now:', '\tMax_Outbound_Connections = 7'],
    ],
    [
      'unset message_expiration',
      ['"Message_Expiration" has been unset. Effective value is now:', '\tMessage_Expiration = 86400'],
    ],
    ['unset esmtp_listener listen :25', ["Scope 'esmtp_listener listen :25' has been unset."]],
    ['unset', ['The global scope cannot be unset.']],
    ['unset tls', ["Option 'TLS' is not set in scope ''."]],
    ['unset domain nobody.test', ["config: there is no scope 'domain nobody.test'"]],

    [
      'show esmtp_listener listen :25',
      // The manual's example has no scope around it.
      ['Peer "10.0.0.0/8" { ... }', 'Enable = true'],
    ],
    [
      'showrecurse esmtp_listener listen :25',
      [
        'ESMTP_Listener {',
        '  Listen ":25" {',
        '    Peer "10.0.0.0/8" {',
        '      Listener_Sessions = 40',
        '    }',
        '    Enable = true',
        '  }',
        '}',
      ],
    ],
    ['show message_expiration', ['Message_Expiration = 172800']],
    ['show domain nobody.test', ["config: there is no scope 'domain nobody.test'"]],
    [
      'showrecurse binding_group g',
      [
        'Binding_Group "g" {',
        '  Binding "b" {',
        '    Domain "x.test" {',
        '    }',
        '    Max_Outbound_Connections = 9',
        '  }',
        '  Host "in.mx.test" {',
        '    Max_Outbound_Connections = 2',
        '  }',
        '}',
      ],
    ],

    ['locate listen', ['Listen ":25"', '  is at Esmtp_Listener::Listen:\\:25:']],
    [
      'locate domain ^[mx]+[.]test$',
      [
        'Domain "mx.test"',
        '  is at Domain:mx.test:',
        'Domain "x.test"',
        '  is at Binding_Group:g:Binding:b:Domain:x.test:',
      ],
    ],
    ['locate Domain ^/', ['Domain "/[.]test$/"', '  is at Domain:/[.]test$/:']],
    [
      'locate peer',
      [
        'Peer "10.0.0.0/8"',
        '  is at Esmtp_Listener::Listen:\\:25:Peer:10.0.0.0/8:',
        'Peer "10.1.0.0/16"',
        '  is at Esmtp_Listener::Peer:10.1.0.0/16:',
      ],
    ],
    ['locate domain zzz', []],
    ['locate nonsense', ["config: unknown scope 'nonsense'"]],
    [
      'locate domain (',
      ["config: '(': expected a regular expression that JavaScript can express, without a group that is never closed"],
    ],

    ['get no_such', ["config: unknown option 'no_such' in scope 'Global'"]],
    ['get domain a.test spoolbase', ["config: unknown option 'spoolbase' in scope 'domain a.test'"]],
    ['get domain', ['config: Domain needs a name']],
    ['get', ['config: the name of an option is missing']],
    ['set message_expiration', ['config: a value is missing for message_expiration']],
    ['set message_expiration soon', ["config: 'soon' is not a valid duration in seconds for Message_Expiration"]],
    ['set max_outbound_connections x', ["config: 'x' is not a valid integer for Max_Outbound_Connections"]],
    ['set generate_bounces x', ["config: 'x' is not a valid boolean for Generate_Bounces"]],
    ['set tls x', ["config: 'x' is not a valid word for TLS, one of no, ifavailable, required"]],
    [
      'set message_expiration 2 hours',
      ["config: 'hours' behind the value: quote what holds blanks or special characters"],
    ],
    ['set esmtp_listener listen 25 enable true', ['config: Listen "25": write ":25"']],
    ['set gateway "x', ['config: this " is never closed']],
    ['commit', ['config: no transaction is open']],
    ['rollback', ['config: no transaction is open']],
    ['replay', ['config: no transaction is open']],
    ['begin again', ["config: begin 'again': write begin, or begin from scratch"]],
    ['writeback', ['Nothing has changed: the files have all that is live.']],
    ['writeback relative', ["config: 'relative': the file is written by the server, so its path must be absolute"]],
    ['writeback /a b', ["config: 'b' behind the file"]],
    [
      '',
      [
        "config: unknown command '', one of get, eval, explain, set, unset, show, showrecurse, locate, begin, replay, commit, rollback, reload, plan, history, diff, writeback",
      ],
    ],
  ])('config %s', async (words, lines) => {
    const { says } = await consoleOf();
    expect(await says(words)).toEqual(lines);
  });
});

describe('transactions', () => {
  test('nobody sees one before its commit', async () => {
    const { configuration, says } = await consoleOf();
    const other = configSession();
    expect(await says('begin')).toEqual(['Transaction started.']);
    expect(await says('begin')).toEqual(['config: a transaction is open']);
    await says('set Message_Expiration 5');
    await says('set domain y.test Max_Outbound_Connections 6');
    await says('eval Message_Expiration');
    await says('unset domain y.test');
    expect(await says('get Message_Expiration')).toEqual(['Message_Expiration = 5']);
    expect((await configCommand(configuration, other, 'get Message_Expiration')).lines).toEqual([
      'Message_Expiration = 172800',
    ]);
    expect(await says('replay')).toEqual([
      'config set Message_Expiration 5',
      'config set domain y.test Max_Outbound_Connections 6',
      'config unset domain y.test',
    ]);
    expect((await writeConfigCommand(configuration, '')).lines).toContain('Message_Expiration = 172800');
    expect(await says('reload')).toEqual(['config: a transaction is open']);
    expect(await says('commit')).toEqual(['Committed, generation 2.']);
    expect((await configCommand(configuration, other, 'get Message_Expiration')).lines).toEqual([
      'Message_Expiration = 5',
    ]);
  });

  test('the first commit wins; the other stays open until it is rolled back', async () => {
    const { configuration, says } = await consoleOf();
    await says('begin');
    await says('set Message_Expiration 5');
    await configCommand(configuration, configSession(), 'set Message_Expiration 6');
    expect(await says('commit')).toEqual(['config: transaction conflict; live configuration is now generation 2']);
    expect(await says('replay')).toEqual(['config set Message_Expiration 5']);
    expect(await says('rollback')).toEqual(['Rolled back.']);
    expect(await says('get Message_Expiration')).toEqual(['Message_Expiration = 6']);
  });

  test('a set that is wrong changes nothing, and a commit that is wrong leaves the transaction open', async () => {
    const { says } = await consoleOf();
    await says('begin');
    await says('set esmtp_listener pathway nowhere');
    expect(await says('set esmtp_listener enable perhaps')).toEqual([
      "config: 'perhaps' is not a valid boolean for Enable",
    ]);
    expect(await says('replay')).toHaveLength(1);
    expect(await says('commit')).toEqual([
      "Syntax error in (console) at line 1 near 'nowhere'",
      'Pathway = nowhere: there is no pathway of that name',
    ]);
    expect(await says('unset esmtp_listener pathway')).toHaveLength(2);
    expect(await says('commit')).toEqual(['Committed, generation 2.']);
  });

  test('from scratch only the implicit settings are there', async () => {
    const { configuration, says } = await consoleOf();
    await says('begin from scratch');
    expect(await says('get Message_Expiration')).toEqual(["Option 'Message_Expiration' is not set in scope ''."]);
    expect(await says('get threadpool io concurrency')).toEqual(['\tConcurrency = 50']);
    // As in the manual: what an empty configuration has is shown, and cannot be unset.
    expect((await says('showrecurse')).slice(0, 3)).toEqual(['ThreadPool "SwapOut" {', '  Concurrency = 5', '}']);
    expect((await says('unset threadpool io concurrency')).at(-1)).toBe('\tConcurrency = 50');
    expect(await says('get threadpool io concurrency')).toEqual(['\tConcurrency = 50']);
    await says('set esmtp_listener listen :26 enable true');
    await says('commit');
    expect(configuration.current.listens().map((each) => each.endpoint)).toEqual([
      { kind: 'tcp', ip: '0.0.0.0', port: 26 },
    ]);
  });

  test('a read-only session may look but not touch', async () => {
    const { configuration } = await consoleOf();
    const session = configSession({ readOnly: true });
    for (const words of ['set Message_Expiration 5', 'unset Message_Expiration', 'reload', 'commit']) {
      expect(await configCommand(configuration, session, words)).toEqual({
        ok: false,
        lines: ['Configuration changes are not allowed here'],
      });
    }
    expect((await configCommand(configuration, session, 'get Message_Expiration')).ok).toBe(true);
  });
});

describe('built-in settings', () => {
  test('are overridden, and come back when that is unset', async () => {
    const { says } = await consoleOf();
    await says('set threadpool io concurrency 9');
    expect(await says('eval threadpool IO concurrency')).toEqual(['Concurrency = 9']);
    expect((await says('unset threadpool IO concurrency')).at(-1)).toBe('\tConcurrency = 50');
    await says('set threadpool io concurrency 9');
    await says('unset threadpool io');
    expect(await says('eval threadpool IO concurrency')).toEqual(['Concurrency = 50']);
  });

  test('are not in what is written', async () => {
    const { configuration } = await consoleOf('Message_Expiration = 5');
    expect((await writeConfigCommand(configuration, '')).lines).toEqual(['Message_Expiration = 5']);
  });
});

test('a reload undoes what the console has changed; one that fails says why and changes nothing', async () => {
  const { says, files } = await consoleOf();
  await says('set Message_Expiration 5');
  expect(await says('reload')).toEqual(['Configuration reloaded, generation 3.']);
  expect(await says('get Message_Expiration')).toEqual(['Message_Expiration = 172800']);
  await files.replace('Message_Expiration = 6\nspol_base = x\n');
  expect(await says('reload')).toEqual([
    "CFG-07961 No module provides capability 'config.Global:spol_base'.",
    `Syntax error in ${MAIN} at line 2 near 'spol_base'`,
    "'spol_base' is not a valid scope name in scope 'Global'",
    'Reconfigure failed.',
  ]);
  expect(await says('get Message_Expiration')).toEqual(['Message_Expiration = 172800']);
});

test('what showrecurse and write config print is read back as the same configuration', async () => {
  const { configuration, says } = await consoleOf();
  const again = await consoleOf((await says('showrecurse')).join('\n'));
  expect(again.configuration.current.hash).toBe(configuration.current.hash);
  await writeConfigCommand(configuration, `"${MAIN}"`);
  await says('reload');
  expect(configuration.current.hash).toBe(again.configuration.current.hash);
  expect((await writeConfigCommand(configuration, 'relative')).ok).toBe(false);
});

test('locate spells a path as the manual does, and show takes it back', async () => {
  const { says } = await consoleOf('auth_ds { Scheme "ecauth" { QueryGroups { Query = "q" } } }');
  expect(await says('locate querygroups')).toEqual(['QueryGroups', '  is at auth_ds::Scheme:ecauth:QueryGroups::']);
  expect(await says('show auth_ds Scheme ecauth QueryGroups')).toEqual(['Query = "q"']);
});

test('whatever is typed, there is an answer', async () => {
  const { says } = await consoleOf();
  const piece = fc.constantFrom(
    'get',
    'set',
    'unset',
    'eval',
    'show',
    'locate',
    'begin',
    'commit',
    'explain',
    'diff',
    'history',
    'plan',
    'rollback',
    'reload',
    '--disk',
    '--check',
    'to',
    '1',
    'domain',
    'a.test',
    'esmtp_listener',
    'listen',
    ':25',
    'peer',
    '10.0.0.0/8',
    'enable',
    '=',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    'tls',
    'no',
    '#',
    '/*',
    '5',
    '/(/',
    '\0',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      expect(Array.isArray(await says(pieces.join(' ')))).toBe(true);
    }),
    { numRuns: 1500 },
  );
});
