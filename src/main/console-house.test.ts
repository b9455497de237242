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
