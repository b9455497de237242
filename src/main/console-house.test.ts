import { expect, test } from 'vitest';
import { WholeServer } from '../../test/support/whole-server.ts';

test('module list says of each module what it is for', async () => {
  const whole = await WholeServer.with('ec_logger "main" { } conntrol { Pause_Time = 1 }');
  expect(await whole.console('module list')).toBe(`Module: ec_logger:main
  Scope_Name: ec_logger
  Instance_Name: main
  Enabled: enabled
  API: Logger
  Name: ec_logger
  Description: mainlog, rejectlog, paniclog and acctlog
Module: conntrol:conntrol
  Scope_Name: conntrol
  Instance_Name: conntrol
  Enabled: enabled
  API: Validation
  Name: conntrol
  Description: the pause before the greeting, early talkers, and counts of what clients say wrong
`);
});

test('reopen logs names the log that cannot be opened, and counts only the loggers that could', async () => {
  const whole = await WholeServer.with(
    'ec_logger "main" { mainlog = "/logs/mainlog" } bounce_logger { bouncelog = "/logs/bouncelog" }',
  );
  expect(await whole.console('reopen logs')).toBe('2 loggers reopened.\n');
  whole.world.disk.fail({ operation: 'open', path: '/logs/mainlog' }, 'EACCES');
  const said = await whole.console('reopen logs');
  expect(said).toMatch(/^\/logs\/mainlog: .*\nnot all logs were reopened\n1 loggers reopened\.\n$/);
});
