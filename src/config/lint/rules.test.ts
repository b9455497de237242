import { describe, expect, test } from 'vitest';
import { checked, MAIN } from '../../../test/support/configuration.ts';
import { LintWarning, lintRules } from '../index.ts';

/** `LINE:COLUMN TEXT` of each warning of a rule. */
async function warned(rule: string, files: Files): Promise<readonly string[]> {
  const result = await checked(files, ['ec_logger', 'bounce_logger']);
  expect(result.errors).toEqual([]);
  return result.warnings
    .filter((warning) => warning instanceof LintWarning && warning.rule === rule)
    .map(({ place, text }) => `${place.line}:${place.column} ${text}`);
}

const inListener = (text: string): string => `ESMTP_Listener {\n${text}\n}\n`;
const PUBLIC = inListener('Listen ":25" { }');

type Files = string | Readonly<Record<string, string>>;

/** A rule, with configurations that it warns of and what it says, and those that it is silent about. */
type Row = readonly [rule: string, bad: readonly (readonly [Files, string])[], good: readonly Files[]];

const rows: readonly Row[] = [
  [
    'open-relay',
    [
      [`Relay_Hosts = ( 10.0.0.0/8 0.0.0.0/0 )\n${PUBLIC}`, '1:15 Relay_Hosts holds 0.0.0.0/0'],
      [`Relay_Hosts = ( 0.0.0.0/1 128.0.0.0/1 )\n${PUBLIC}`, '1:15 Relay_Hosts holds 0.0.0.0/1'],
      [inListener('Relay_Hosts = ( ::/0 ) Listen "[::]:25" { }'), '2:15 Relay_Hosts holds ::/0'],
      [inListener('Listen ":25" { Peer "0.0.0.0/0" { Open_Relay = true } }'), '2:35 Open_Relay is true'],
      [inListener('Relay_For_Sending_Domains ( ) Listen ":25" { }'), '2:27 Relay_For_Sending_Domains is empty'],
      [inListener('Relay_For_Sending_Domains ( *.com ) Listen ":25" { }'), 'holds *.com'],
      [inListener('Relay_For_Sending_Domains ( Gmail.com ) Listen ":25" { }'), 'everybody has an address'],
      [
        `Relay_Domains = ( ours.example )\n${inListener('Relay_For_Sending_Domains = ( ours.example ) Listen ":25" { }')}`,
        'Relay_Domains makes known',
      ],
      [
        `Hostname = "mx.ours.example"\n${inListener('Relay_For_Sending_Domains = ( ours.example ) Listen ":25" { }')}`,
        'which the name of this server gives away',
      ],
      [
        `Pathway "p" { Relay_Hosts = ( 0.0.0.0/0 ) }\n${inListener('Listen ":25" { Pathway = "p" }')}`,
        '1:29 Relay_Hosts holds 0.0.0.0/0',
      ],
      // The wide block stands in a Peer of the customers, and in one of everybody: only the latter is a trouble.
      [
        inListener(
          'Listen ":25" { Peer "128.0.0.0/1" { Relay_Hosts = ( 0.0.0.0/0 ) } Peer "0.0.0.0/0" { Relay_Hosts = ( ) } }',
        ),
        '2:51 Relay_Hosts holds 0.0.0.0/0',
      ],
    ],
    [
      `Relay_Hosts = ( 127.0.0.0/8 10.0.0.0/8 ::1 2001:db8::/32 )\n${PUBLIC}`,
      // Hidden for everybody who can come in.
      `Relay_Hosts = ( 0.0.0.0/0 )\n${inListener('Relay_Hosts = ( 10.0.0.0/8 ) Listen ":25" { }')}`,
      inListener('Listen ":25" { Peer "203.0.113.0/24" { Open_Relay = true Relay_Hosts = ( 0.0.0.0/0 ) } }'),
      inListener('Open_Relay = true Listen "127.0.0.1:25" { } Listen "/run/x.sock" { } Listen "10.1.2.3:25" { }'),
      inListener('Open_Relay = true Listen ":25" { Enable = false }'),
      // Clients of the other family do not come here.
      inListener('Relay_Hosts = ( ::/0 ) Listen ":25" { }'),
      inListener('Relay_For_Sending_Domains ( "secret.customer.example" ) Listen ":25" { }'),
    ],
  ],
  [
    'auth-without-tls',
    [
      [
        inListener('SMTP_Extensions = ( "AUTH LOGIN" ) Listen ":587" { }'),
        '2:19 AUTH LOGIN is offered at Listen ":587" and STARTTLS',
      ],
      [inListener('Listen ":587" { SMTP_Extensions = ( starttls "auth plain" ) }'), 'there is no TLS_Certificate'],
      [
        inListener('Listen "10.0.0.1:587" { Peer "10.0.0.0/8" { SMTP_Extensions = ( "AUTH CRAM-MD5" ) } }'),
        'AUTH CRAM-MD5',
      ],
    ],
    [
      {
        [MAIN]: `TLS_Certificate = "/c"\n${inListener('Listen ":587" { SMTP_Extensions = ( STARTTLS "AUTH PLAIN" ) }')}`,
        '/c': '',
      },
      inListener('SMTP_Extensions = ( "AUTH LOGIN" ) Listen "127.0.0.1:587" { } Listen "/run/s" { }'),
      inListener('SMTP_Extensions = ( "AUTH LOGIN" ) Listen ":465" { Use_SSL = yes }'),
      inListener('SMTP_Extensions = ( "AUTH LOGIN" ) Listen ":587" { SMTP_Extensions = ( ) }'),
    ],
  ],
  [
    'x-commands-public',
    [
      [
        inListener('SMTP_Extensions = ( XCLIENT xdumpcontext ) Listen ":25" { }'),
        '2:19 strangers who reach Listen ":25" may use XCLIENT, XDUMPCONTEXT',
      ],
      [inListener('Listen "[::]:25" { Peer "::/0" { SMTP_Extensions = ( XREMOTEIP ) } }'), 'XREMOTEIP'],
    ],
    [
      inListener('Listen ":25" { Peer "10.0.0.0/8" { SMTP_Extensions = ( XCLIENT ) } }'),
      inListener('SMTP_Extensions = ( XCLIENT ) Listen "192.168.1.1:25" { }'),
      inListener(
        'SMTP_Extensions = ( XCLIENT ) Peer "0.0.0.0/0" { SMTP_Extensions = ( ) } Peer "10.0.0.1" { SMTP_Extensions = ( XCLIENT ) } Listen ":25" { }',
      ),
    ],
  ],
  [
    'control-public',
    [['Control_Listener { Listen ":2025" { } }', '1:20 the console at Listen ":2025"']],
    ['Control_Listener { Listen "127.0.0.1:2025" { } Listen "[::1]:2025" { } Listen "/run/c" { } }', PUBLIC],
  ],
  [
    'http-public',
    [
      ['HTTP_Listener { Listen ":2081" { } }', '1:17 strangers who reach Listen ":2081" may read the statistics'],
      [
        'HTTP_Listener { Enable_Authentication = true Always_Allow = true Listen ":2081" { } }',
        '1:46 Always_Allow is true for everybody who reaches Listen ":2081"',
      ],
    ],
    [
      'HTTP_Listener { Enable_Authentication = true Listen ":2081" { } }',
      'HTTP_Listener { Listen "127.0.0.1:2081" { } Listen "10.0.0.1:2081" { } Listen "/run/http" { } }',
      'HTTP_Listener { Always_Deny = true Peer "10.0.0.0/8" { Always_Deny = false } Listen ":2081" { } }',
    ],
  ],
  ['force-fsync', [['Force_Fsync = off', '1:1 Force_Fsync is false']], ['Force_Fsync = on', '']],
  [
    'unanchored-regex',
    [
      [
        'Domain "/yahoo.com/" { }',
        `1:1 Domain "/yahoo.com/" is not anchored at either end, has a '.' that matches any character, matches notyahoo.com.evil.example as well`,
      ],
      ['Domain "/yahoo\\.com$/" { }', 'is not anchored at its start, matches notyahoo.com as well'],
      ['Domain "/^yahoo\\.com/" { }', 'is not anchored at its end, matches yahoo.com.evil.example as well'],
      ['Domain "/^yahoo.com$/" { }', `has a '.' that matches any character, matches yahooxcom as well`],
      ['Binding "b" { Host "/mx/" { } }', '1:15 Host "/mx/" is not anchored at either end, matches notmx.evil.example'],
      ['Domain "/^a\\.com$|b\\.com/" { }', 'is not anchored at either end'],
    ],
    [
      'Domain "/(^|\\.)yahoo\\.com$/" { }',
      'Domain "/(^|[.])(yahoo\\.com|aol\\.com)$/" { }',
      'Domain "/[.]example$/" { }',
      'Domain "/\\.example$/" { }',
      'Host "/^relay[0-9]+[.]/" { }',
      'Domain "/^mx.*[.]example\\.com$/" { }',
      'Domain "/.*/" { }',
      'Domain "/^a[.]com$|^b[.]com$/" { }',
      'Domain "yahoo.com" { }',
    ],
  ],
  [
    'regex-never-decides',
    [
      [
        'Domain "/^mx\\.test$/" { Max_Retries = 1 } Domain "mx.test" { Max_Retries = 2 Idle_Timeout = 4 }',
        '1:1 Domain "/^mx\\.test$/" can never decide: Domain "mx.test"',
      ],
      [
        'Domain "/.*/" { Max_Retries = 1 } Domain "/[.]test$/" { Max_Retries = 2 }',
        '1:35 Domain "/[.]test$/" can never decide: Domain "/.*/"',
      ],
      ['Binding "b" { Domain "/^/" { Max_Retries = 1 } Domain "/x$/" { Max_Retries = 1 } }', 'can never decide'],
      [
        'Host "/[.]test$/" { Max_Outbound_Connections = 1 } Host "/^mx[.]test$/" { Max_Outbound_Connections = 2 }',
        'Host "/^mx[.]test$/" can never decide',
      ],
    ],
    [
      'Domain "/^mx\\.test$/" { Idle_Timeout = 1 } Domain "mx.test" { Max_Retries = 2 }',
      'Domain "/[.]test$/" { Max_Retries = 2 } Domain "/.*/" { Max_Retries = 1 }',
      'Domain "/[.]test$/" { Max_Retries = 2 } Domain "/a[.]test$/" { Max_Retries = 1 }',
      'Domain "/.*/" { Max_Retries = 1 } Binding "b" { Domain "/[.]test$/" { Max_Retries = 2 } }',
    ],
  ],
  [
    'hidden-peer',
    [
      [
        inListener(
          'Peer "10.0.0.0/8" { Idle_Time = 1 }\nPeer "10.0.0.0/9" { Idle_Time = 2 }\nPeer "10.128.0.0/9" { Idle_Time = 3 }',
        ),
        '2:1 Peer "10.0.0.0/8" never counts',
      ],
      [
        inListener('Peer "10.0.0.0/8" { Idle_Time = 1 } Listen ":25" { Peer "10.0.0.0/7" { Idle_Time = 2 } }'),
        '2:1 Peer "10.0.0.0/8" never counts',
      ],
      [inListener('Listen ":25" { Peer "10.0.0.0/8" { } }'), '2:16 Peer "10.0.0.0/8" sets nothing'],
    ],
    [
      inListener('Peer "10.0.0.0/8" { Idle_Time = 1 } Peer "10.0.0.0/9" { Idle_Time = 2 }'),
      inListener(
        'Peer "10.0.0.0/8" { Idle_Time = 1 Context [ a = b ] } Peer "10.0.0.0/9" { Idle_Time = 2 } Peer "10.128.0.0/9" { Idle_Time = 2 }',
      ),
      inListener(
        'Peer "10.0.0.0/8" { Idle_Time = 1 } Listen ":25" { Peer "10.0.0.0/7" { Idle_Time = 2 } } Listen ":26" { }',
      ),
    ],
  ],
  [
    'hidden-listen-value',
    [
      [
        inListener('Peer "0.0.0.0/0" { Listener_Sessions = 2 } Listen ":25" { Listener_Sessions = 7 }'),
        '2:59 Listener_Sessions of Listen ":25" never counts',
      ],
      [
        inListener('Idle_Time = 3 Listen ":25" { Idle_Time = 4 } Listen ":26" { Idle_Time = 4 }'),
        '2:1 Idle_Time of ESMTP_Listener never counts',
      ],
      [
        inListener('Listen "/run/s" { Idle_Time = 2 Peer "127.0.0.0/8" { Idle_Time = 1 } }'),
        'Idle_Time of Listen "/run/s"',
      ],
    ],
    [
      inListener('Peer "0.0.0.0/0" { Listener_Sessions = 2 } Listen "[::]:25" { Listener_Sessions = 7 }'),
      inListener('Idle_Time = 3 Listen ":25" { Idle_Time = 4 } Listen ":26" { }'),
      inListener('Idle_Time = 3 Peer "10.0.0.0/8" { Idle_Time = 1 } Listen ":25" { }'),
    ],
  ],
  [
    'hidden-sending-value',
    [
      [
        'Binding_Group "g" { Binding "b" { Max_Retries = 1 } Domain "/.*/" { Max_Retries = 2 } }',
        '1:35 Max_Retries of Binding "b" never counts for mail: Domain "/.*/"',
      ],
      ['Max_Retries = 1 Domain "/./" { Max_Retries = 2 }', '1:1 Max_Retries of Global never counts'],
      ['Binding "b" { Max_Retries = 1 Domain "/^/" { Max_Retries = 2 } }', '1:15 Max_Retries of Binding "b"'],
      [
        'Binding_Group "g" { Max_Retries = 1 Binding "b" { Max_Retries = 2 } }',
        '1:21 Max_Retries of Binding_Group "g" never counts: each Binding',
      ],
    ],
    [
      // The global domain stanza stands behind the binding.
      'Binding "b" { Max_Retries = 1 } Domain "/.*/" { Max_Retries = 2 }',
      'Max_Retries = 1 Domain "/[.]test$/" { Max_Retries = 2 }',
      'Binding_Group "g" { Max_Retries = 1 Binding "b" { Max_Retries = 2 } Binding "c" { } }',
      'Binding_Group "default" { Max_Retries = 1 Binding "b" { Max_Retries = 2 } }',
    ],
  ],
  [
    'disabled-listener',
    [
      [inListener('Listen ":25" { Enable = off }'), '2:1 Listen ":25" is disabled'],
      [inListener('Enable = off Listen ":25" { }'), '2:14 Listen ":25" is disabled'],
    ],
    [inListener('Enable = off Listen ":25" { Enable = on }'), PUBLIC],
  ],
  [
    'group-without-bindings',
    [
      [
        'Binding_Group "g" { Domain "a.test" { Max_Retries = 1 } }',
        '1:1 Binding_Group "g" has no Binding: what its Domain',
      ],
    ],
    [
      'Binding_Group "g" { Binding "b" { } Domain "a.test" { Max_Retries = 1 } }',
      'Binding_Group "default" { Max_Retries = 1 }',
    ],
  ],
  [
    'hidden-binding',
    [
      [
        'Binding_Group "g" { Binding "b" { } }\nBinding_Group "h" { Binding "b" { } }',
        '2:21 Binding "b" is in Binding_Group "g" too',
      ],
    ],
    ['Binding_Group "g" { Binding "b" { } }\nBinding_Group "h" { Binding "c" { } } Binding "b" { }'],
  ],
  [
    'value-set-twice',
    [
      ['Max_Retries = 1\nMax_Retries = 2', '1:1 Max_Retries is set again on line 2'],
      ['Domain "a.test" { Max_Retries = 1 }\nDomain "a.test" { Max_Retries = 1 }', '1:19'],
    ],
    [
      'Max_Retries = 1 Domain "a.test" { Max_Retries = 1 } Domain "b.test" { Max_Retries = 1 }',
      // What comes from another file is there to override.
      { [MAIN]: 'Max_Retries = 1 include "x"', '/etc/impetus/x': 'Max_Retries = 2' },
    ],
  ],
  [
    'retry-beyond-expiration',
    [
      ['Retry_Interval = 2h\nMessage_Expiration = 1h', '1:1 Retry_Interval is 7200 and Message_Expiration 3600'],
      ['Domain "a.test" { Message_Expiration = 600 }', '1:19 Retry_Interval is 1200 and Message_Expiration 600'],
      [
        'Retry_Interval = 1h Binding_Group "g" { Binding "b" { Domain "/^a/" { Message_Expiration = 600 } } }',
        'Retry_Interval is 3600',
      ],
    ],
    [
      'Retry_Interval = 20m\nMessage_Expiration = 1h',
      'Message_Expiration = 600 Retry_Interval = 60 Domain "a.test" { Message_Expiration = 500 }',
    ],
  ],
  [
    'negative-limit',
    [['Domain "a.test" { Max_Outbound_Connections = -1 }', '1:46 Max_Outbound_Connections = -1 in Domain "a.test"']],
    ['Host "a.test" { Max_Outbound_Connections = -1 }', 'Max_Outbound_Connections = 0'],
  ],
  [
    'hostname-not-fqdn',
    [
      ['Hostname = mx', '1:12 Hostname = mx'],
      ['Binding "b" { EHLO_Hostname = "mx.local" }', 'EHLO_Hostname = mx.local'],
      [inListener('Banner_Hostname = localhost'), 'localhost'],
    ],
    ['Hostname = mx.example.com EHLO_Hostname = __message__', inListener('Banner_Hostname = "mx.example.net"')],
  ],
  [
    'postmaster-address',
    [
      ['Mailerdaemon = root', '1:16 Mailerdaemon = root'],
      ['Mailerdaemon = root@mx', 'a whole domain'],
    ],
    ['Mailerdaemon = root@example.com'],
  ],
  [
    'log-path-twice',
    [
      [
        'ec_logger { mainlog = "/l/a" rejectlog = "/l/./a" }',
        '1:42 Rejectlog of EC_Logger "ec_logger" is written to /l/./a, where Mainlog',
      ],
      ['ec_logger { }\nec_logger "x" { }', '2:1 Acctlog of EC_Logger "x"'],
    ],
    [
      'ec_logger { mainlog = "/l/a" rejectlog = "/l/b" } bounce_logger { }',
      'ec_logger "x" { enabled = false } ec_logger { }',
    ],
  ],
  [
    'unquoted-value',
    [
      ['Spoolbase = /var/spool', '1:13 Spoolbase = /var/spool holds a /'],
      [inListener('Context [ a = b/c ]'), 'a of Context = b/c'],
    ],
    ['Spoolbase = "/var/spool"', 'Relay_Hosts = ( 10.0.0.0/8 )', 'Hostname = a.example'],
  ],
];

describe.each(rows)('%s', (rule, bad, good) => {
  test.each(bad)('%s', async (text, expected) => {
    expect((await warned(rule, text)).join('\n')).toContain(expected);
  });

  test.each(good.map((each) => [typeof each === 'string' ? each : (each[MAIN] ?? ''), each] as const))(
    'no warning: %s',
    async (_, files) => {
      expect(await warned(rule, files)).toEqual([]);
    },
  );
});

test('the pattern that is suggested matches the name, and what lies below it, and nothing else', async () => {
  const result = await checked('Domain "/yahoo.com|aol\\.com/" { }');
  const [warning] = result.warnings;
  const suggestion = warning instanceof LintWarning ? (warning.suggestion ?? '') : '';
  expect(suggestion).toBe('"/(^|\\.)(yahoo\\.com|aol\\.com)$/"');
  const pattern = new RegExp(suggestion.slice(2, -2));
  expect(
    ['yahoo.com', 'a.aol.com', 'notyahoo.com', 'yahooxcom', 'aol.com.evil'].map((name) => pattern.test(name)),
  ).toEqual([true, true, false, false, false]);
  expect(warning?.line).toMatch(/; write "\/.*\/" \[unanchored-regex\]$/);
});

test('a pattern that takes for ever is not tried on names', async () => {
  const slow = `Domain "/^(a+)+b$/" { Max_Retries = 1 } Domain "/^${'a'.repeat(60)}$/" { Max_Retries = 2 }`;
  expect(await warned('regex-never-decides', slow)).toEqual([]);
});

test('every rule has an id of its own', () => {
  expect(new Set(lintRules.map(({ id }) => id)).size).toBe(lintRules.length);
});
