import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';
import { bindingName, parseDomain } from '../../base/index.ts';
import {
  cidrs,
  configCommand,
  configSession,
  duration,
  integer,
  type LiveConfiguration,
  option,
  optional,
  path,
  size,
  text,
} from '../index.ts';

const connections = option('max_outbound_connections', integer);
const deliveries = option('max_deliveries_per_connection', integer);
const declared = [
  connections,
  deliveries,
  option('listener_sessions', integer),
  option('relay_hosts', optional(cidrs)),
  option('max_message_size', size),
  option('idle_time', duration),
  option('gateway', optional(text)),
  option('spoolbase', path, { initial: '/var/spool/impetus' }),
];

const TEXT = `Max_Outbound_Connections = 50
Domain "mx.test" { Max_Outbound_Connections = 40 }
Domain "/(^|[.])test$/" { Max_Outbound_Connections = 7  Max_Deliveries_Per_Connection = 3 }
Domain "/mx/" { Max_Deliveries_Per_Connection = 9 }
Binding_Group "g" {
  Domain "mx.test" { Max_Outbound_Connections = 25 }
  Binding "gb" { Max_Outbound_Connections = 20 }
  Host "in.mx.test" { Max_Outbound_Connections = 2 }
}
Pathway_Group "pg" { Max_Message_Size = 5000 Pathway "inner" { Max_Message_Size = 6000 } }
ESMTP_Listener {
  Listener_Sessions = 100
  Peer "10.0.0.0/8" { Listener_Sessions = 40 }
  Peer "10.1.0.0/16" { Relay_Hosts = ( 10.1.0.1 ) }
  Peer "0.0.0.0/0" { Pathway = "inner" }
  Listen ":25" { Listener_Sessions = 70 Peer "10.1.2.0/24" { } }
}
EC_Logger "main" { Mainlog = "/log/main" }
`;

async function consoleOf(source = TEXT): Promise<{
  readonly configuration: LiveConfiguration;
  says(words: string): Promise<readonly string[]>;
}> {
  const { configuration } = await configured(source, declared, ['ec_logger']);
  const session = configSession();
  return { configuration, says: async (words) => (await configCommand(configuration, session, words)).lines };
}

describe('config explain tells the whole chain, with the place of the value', () => {
  test.each<[string, string]>([
    [
      'domain mx.test max_outbound_connections',
      `
Max_Outbound_Connections = 40
  from Domain "mx.test", /etc/impetus/impetus.conf:2:20
Asked in this order; the first that sets it wins:
  1  Binding_Group "default" Binding "default" Domain "mx.test"  (no such stanza)
  2  Binding "default" Domain "mx.test"                          (no such stanza)
  3  Binding_Group "default" Domain "mx.test"                    (no such stanza)
  4  Binding_Group "default" Binding "default"                   (no such stanza)
  5  Binding "default"                                           (no such stanza)
  6  Binding_Group "default"                                     (no such stanza)
> 7  Domain "mx.test"                                            40
  7  Domain "/(^|[.])test$/"                                     7
  7  Domain "/mx/"                                               not set
  8  Global                                                      50
  9  built-in default                                            32`,
    ],
    [
      'binding_group g binding gb domain MX.Test. max_outbound_connections',
      `
Max_Outbound_Connections = 25
  from Binding_Group "g" Domain "mx.test", /etc/impetus/impetus.conf:6:22
Asked in this order; the first that sets it wins:
  1  Binding_Group "g" Binding "gb" Domain "mx.test"  (no such stanza)
  2  Binding "gb" Domain "mx.test"                    (no such stanza)
> 3  Binding_Group "g" Domain "mx.test"               25
  4  Binding_Group "g" Binding "gb"                   20
  5  Binding "gb"                                     (no such stanza)
  6  Binding_Group "g"                                not set
  7  Domain "mx.test"                                 40
  7  Domain "/(^|[.])test$/"                          7
  7  Domain "/mx/"                                    not set
  8  Global                                           50
  9  built-in default                                 32`,
    ],
    [
      'binding gb host in.mx.test max_outbound_connections',
      `
Max_Outbound_Connections = 2
  from Binding_Group "g" Host "in.mx.test", /etc/impetus/impetus.conf:8:23
Asked in this order; the first that sets it wins:
  1  Binding_Group "g" Binding "gb" Host "in.mx.test"  (no such stanza)
> 2  Binding_Group "g" Host "in.mx.test"               2
  3  Binding "gb" Host "in.mx.test"                    (no such stanza)
  4  Host "in.mx.test"                                 (no such stanza)
  5  built-in default                                  -1`,
    ],
    [
      'esmtp_listener listen *:25 peer 10.1.2.3 listener_sessions',
      `
Listener_Sessions = 40
  from ESMTP_Listener Peer "10.0.0.0/8", /etc/impetus/impetus.conf:13:23
  pathway "inner", named by ESMTP_Listener Peer "0.0.0.0/0"
Asked in this order; the first that sets it wins:
  1  ESMTP_Listener Listen ":25" Peer "10.1.2.0/24"  not set, passed over
  2  ESMTP_Listener Peer "10.1.0.0/16"               not set, passed over
> 2  ESMTP_Listener Peer "10.0.0.0/8"                40
  2  ESMTP_Listener Peer "0.0.0.0/0"                 not set
  3  ESMTP_Listener Listen ":25"                     70
  4  ESMTP_Listener                                  100
  5  Pathway_Group "pg" Pathway "inner"              not set
  6  Pathway "inner"                                 (no such stanza)
  7  Pathway_Group "pg"                              not set
  8  Global                                          (may not be set here)
  9  built-in default                                0`,
    ],
    [
      'esmtp_listener listen :25 max_message_size',
      `
Max_Message_Size = 0
  from the built-in default
  pathway "default"
Asked in this order; the first that sets it wins:
  3  ESMTP_Listener Listen ":25"  not set
  4  ESMTP_Listener               not set
  6  Pathway "default"            (no such stanza)
  8  Global                       (may not be set here)
> 9  built-in default             0`,
    ],
    [
      'ec_logger main mainlog',
      `
Mainlog = "/log/main"
  from EC_Logger "main", /etc/impetus/impetus.conf:18:20
  not implemented yet: nothing reads it
Asked in this order; the first that sets it wins:
> 1  EC_Logger "main"  "/log/main"
  2  built-in default  "/var/log/ecelerity/mainlog.ec"`,
    ],
    [
      'gateway',
      `
Gateway is not set and has no default.
Asked in this order; the first that sets it wins:
  1  Global            not set
> 2  built-in default  (none)`,
    ],
    [
      'domain "/mx/" max_deliveries_per_connection',
      `
Max_Deliveries_Per_Connection = 9
  from Domain "/mx/", /etc/impetus/impetus.conf:4:17
  which other regexes match depends on the name: explain one
Asked in this order; the first that sets it wins:
> 1  Domain "/mx/"                              9
  4  Binding_Group "default" Binding "default"  (no such stanza)
  5  Binding "default"                          (no such stanza)
  6  Binding_Group "default"                    (no such stanza)
  8  Global                                     not set
  9  built-in default                           0`,
    ],
  ])('%s', async (words, wanted) => {
    const { says } = await consoleOf();
    expect(`\n${(await says(`explain ${words}`)).join('\n')}`).toBe(wanted);
  });

  test('a value that needs a restart, and one that a console has set', async () => {
    const { says } = await consoleOf();
    await says('set spoolbase /b');
    expect((await says('explain spoolbase')).slice(0, 3)).toEqual([
      'Spoolbase = /b',
      '  from Global, set on a console',
      '  pending restart: until then "/var/spool/impetus" is in use',
    ]);
  });

  test('an open transaction is what is explained, and bad words are refused', async () => {
    const { says } = await consoleOf();
    await says('begin');
    await says('set domain mx.test max_outbound_connections 1');
    expect((await says('explain domain mx.test max_outbound_connections'))[0]).toBe('Max_Outbound_Connections = 1');
    expect(await says('explain')).toEqual(['config: the name of an option is missing']);
    expect(await says('explain gateway x')).toEqual(["config: 'x' behind the option"]);
    expect(await says('explain nothing')).toEqual(["config: unknown option 'nothing' in scope 'Global'"]);
  });
});

test('what explain and eval say is what the server uses, whatever the configuration', async () => {
  const domains = ['a.test', 'b.test', '/[.]test$/', '/^a/', '/b/'];
  const setting = (name: string) =>
    fc.option(fc.integer({ min: 1, max: 99 })).map((value) => (value === null ? '' : `${name} = ${value}\n`));
  const stanzas = fc
    .array(fc.tuple(fc.constantFrom(...domains), setting('Max_Outbound_Connections')), { maxLength: 4 })
    .map((list) => list.map(([name, inner]) => `Domain "${name}" { ${inner} }\n`).join(''));
  const level = fc.tuple(stanzas, setting('Max_Outbound_Connections')).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(level, level, level, level),
      fc.constantFrom('a.test', 'b.test', 'ab.test', 'c.org'),
      async ([top, own, group, inner], name) => {
        const source = `${top} Binding "b" { ${own} } Binding_Group "g" { ${group} Binding "b" { ${inner} } }`;
        const { configuration, says } = await consoleOf(source);
        const domain = parseDomain(name) ?? expect.fail();
        const used = configuration.current.sending('g', bindingName('b'), domain).get(connections);
        const lines = await says(`explain binding_group g binding b domain ${name} max_outbound_connections`);
        expect(lines[0]).toBe(`Max_Outbound_Connections = ${used}`);
        expect(lines.filter((line) => line.startsWith('>')).map((line) => line.split(/ {2,}/).at(-1))).toEqual([
          String(used),
        ]);
        const [line] = await says(`eval binding_group g binding b domain ${name} max_outbound_connections`);
        expect(line).toBe(lines[0]);
      },
    ),
    { numRuns: 150 },
  );
});
