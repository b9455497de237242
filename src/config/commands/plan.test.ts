import { describe, expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import { bindingName, type Domain } from '../../base/index.ts';
import {
  configCommand,
  configSession,
  duration,
  type Effects,
  type Generation,
  integer,
  type KnownPair,
  option,
  optional,
  path,
  text,
  throttle,
} from '../index.ts';

const declared = [
  option('message_expiration', duration),
  option('max_outbound_connections', integer),
  option('outbound_throttle_messages', throttle),
  option('gateway', optional(text)),
  option('listener_sessions', integer),
  option('spoolbase', path, { initial: '/var/spool/impetus' }),
];

const TEXT = `Max_Outbound_Connections = 50
Domain "/[.]test$/" { Max_Outbound_Connections = 5 }
Binding_Group "g" { Binding "b" { } }
`;

const pair = (domain: string, messages: number, binding = 'default'): KnownPair => ({
  binding: bindingName(binding),
  domain: domain as Domain,
  messages,
});

async function planned(pairs: readonly KnownPair[] = []) {
  const { configuration, disk } = await configured(TEXT, declared);
  const asked: Generation[] = [];
  let turns = 0;
  const effects: Effects = {
    sockets: (next) => {
      asked.push(next);
      return {
        opened: ['ESMTP_Listener 0.0.0.0:26'],
        closed: [],
        reopened: ['ESMTP_Listener 0.0.0.0:25'],
        kept: ['Control_Listener /run/x'],
        changed: ['ESMTP_Listener /run/smtp'],
      };
    },
    modules: () => ({
      started: [],
      ended: [],
      restarted: ['ec_logger main'],
    }),
    pairs: () => pairs,
    sessions: () => ({ open: 7, closed: 2 }),
    turn: async () => {
      turns += 1;
    },
  };
  const session = configSession();
  return {
    configuration,
    asked,
    turns: () => turns,
    replace: (next: string) => disk.replace(MAIN, Buffer.from(next)),
    runs: (words: string) => configCommand(configuration, session, words, effects),
    says: async (words: string) => (await configCommand(configuration, session, words, effects)).lines,
  };
}

const LAST = 'Nothing was changed. Whether sockets and log files can be opened is known only when it is done.';

describe('config plan', () => {
  test('tells what a reload would do, the fullest queue first, and does nothing', async () => {
    const house = await planned([pair('a.test', 3), pair('b.test', 1200), pair('c.org', 9), pair('d.org', 0, 'b')]);
    await house.replace(`Spoolbase = "/b"
Max_Outbound_Connections = 50
Domain "/[.]test$/" { Max_Outbound_Connections = 2 }
Domain "b.test" { Outbound_Throttle_Messages = "5/2" Gateway = "gw" }
Binding_Group "g" { Message_Expiration = 7 Binding "b" { } }
`);
    expect(await house.says('plan')).toEqual([
      `Plan of the reload of ${MAIN}, which would make generation 2:`,
      'Settings: 5 differ',
      '  + Spoolbase = "/b"',
      '  + Binding_Group "g" Message_Expiration = 7',
      '  ~ Domain "/[.]test$/" Max_Outbound_Connections = 2  # was 5',
      '  + Domain "b.test" Gateway = "gw"',
      '  + Domain "b.test" Outbound_Throttle_Messages = "5/2"',
      'Listeners:',
      '  opened      ESMTP_Listener 0.0.0.0:26',
      '  re-opened   ESMTP_Listener 0.0.0.0:25',
      '  changed     ESMTP_Listener /run/smtp',
      '  kept        Control_Listener /run/x',
      'Modules:',
      '  restarted   ec_logger main',
      'Queues: 3 of 4 see other values, with 1203 messages; the fullest first:',
      '  Binding "default" Domain "b.test": 1200 messages',
      '    Gateway none -> "gw" (for new mail: what waits stays in this queue until the next start)',
      '    Max_Outbound_Connections 5 -> 2',
      '    Outbound_Throttle_Messages none -> "5/2"',
      '  Binding "default" Domain "a.test": 3 messages',
      '    Max_Outbound_Connections 5 -> 2',
      '  Binding "b" Domain "d.org": 0 messages',
      '    Message_Expiration 86400 -> 7',
      'Restart: needed before these are used: Spoolbase',
      'SMTP sessions: 2 of 7 get 421 at their next MAIL FROM or RSET',
      LAST,
    ]);
    expect(house.asked.map(({ number }) => number)).toEqual([2]);
    expect(house.configuration.current.number).toBe(1);
    expect(house.configuration.history).toHaveLength(1);
  });

  test('takes another file, and the open transaction', async () => {
    const house = await planned();
    expect((await house.says(`plan ${MAIN}`)).slice(0, 2)).toEqual([
      `Plan of the reload of ${MAIN}, which would make generation 2:`,
      'Settings: none differs',
    ]);
    await house.says('begin');
    await house.says('set message_expiration 1');
    expect((await house.says('plan')).slice(0, 3)).toEqual([
      'Plan of the commit of the open transaction, which would make generation 2:',
      'Settings: 1 differs',
      '  + Message_Expiration = 1',
    ]);
    expect(await house.says(`plan ${MAIN}`)).toEqual([
      'config: a transaction is open: write plan, or rollback before you plan a reload',
    ]);
    await configCommand(house.configuration, configSession(), 'set message_expiration 2');
    expect(await house.runs('plan')).toEqual({
      ok: false,
      lines: ['config: transaction conflict; live configuration is now generation 2'],
    });
  });

  test('what would be refused says why', async () => {
    const house = await planned();
    await house.replace('spol_base = x');
    expect(await house.runs('plan')).toEqual({
      ok: false,
      lines: [
        "CFG-07961 No module provides capability 'config.Global:spol_base'.",
        `Syntax error in ${MAIN} at line 1 near 'spol_base'`,
        "'spol_base' is not a valid scope name in scope 'Global'",
        'It would be refused, and nothing would change.',
      ],
    });
    await house.says('begin');
    await house.says('set esmtp_listener pathway nowhere');
    expect(await house.says('plan')).toEqual([
      "Syntax error in (console) at line 1 near 'nowhere'",
      'Pathway = nowhere: there is no pathway of that name',
      'It would be refused, and nothing would change.',
    ]);
  });

  test('a default that is written down, and other words for a value, are no other values', async () => {
    const house = await planned([pair('c.org', 1)]);
    await house.replace(`${TEXT} Message_Expiration = 24h`.replace('= 50', '= "50"').replace('24h', '86400'));
    expect((await house.says('plan')).filter((line) => line.startsWith('Queues'))).toEqual([
      'Queues: none of 1 sees other values',
    ]);
  });

  test('a binding that goes is named with the messages that stay in its queues', async () => {
    const house = await planned([pair('c.org', 4, 'b'), pair('d.org', 5, 'b')]);
    await house.replace(TEXT.replace('Binding_Group "g" { Binding "b" { } }', ''));
    expect(await house.says('plan')).toContain('  Binding "b" goes: 9 messages stay in its queues');
  });

  test('of very many pairs the fullest fifty are listed, and others get their turn meanwhile', async () => {
    const house = await planned(Array.from({ length: 5000 }, (_, index) => pair(`d${index}.test`, index)));
    await house.replace(TEXT.replace('= 5 ', '= 6 '));
    const lines = await house.says('plan');
    const listed = lines.filter((line) => line.startsWith('  Binding'));
    expect(listed).toHaveLength(50);
    expect(listed[0]).toBe('  Binding "default" Domain "d4999.test": 4999 messages');
    expect(lines).toContain('  and 4950 more');
    expect(house.turns()).toBe(5);
  });

  test('of very many settings fifty are listed, and the command that lists all', async () => {
    const house = await planned();
    await house.replace(
      Array.from({ length: 60 }, (_, index) => `Domain "d${index}.test" { Message_Expiration = 1 }`).join('\n'),
    );
    expect(await house.says('plan')).toContain('  and 15 lines more: config diff --disk');
  });

  test('without a running server there is nothing to ask', async () => {
    const { configuration } = await configured(TEXT, declared);
    expect((await configCommand(configuration, configSession(), 'plan')).lines).toEqual([
      'config: plan needs a running server',
    ]);
  });
});
