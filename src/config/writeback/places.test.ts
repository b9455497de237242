import { expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import { configCommand, configSession } from '../index.ts';

test('config explain names the place of what was written back, no console any more', async () => {
  const { configuration } = await configured('Message_Expiration = 1\n# more\n', []);
  const session = configSession();
  const says = async (line: string) => (await configCommand(configuration, session, line)).lines;
  const where = async (what: string) => (await says(`explain ${what}`)).find((line) => line.startsWith('  from '));
  await says('set message_expiration 2');
  await says('set domain x.test max_outbound_connections 3');
  expect(await where('message_expiration')).toBe('  from Global, set on a console');
  await says('writeback');
  expect(await where('message_expiration')).toBe(`  from Global, ${MAIN}:1:1`);
  expect(await where('domain x.test max_outbound_connections')).toBe(`  from Domain "x.test", ${MAIN}:4:3`);
  await says('set message_expiration 4');
  expect(await where('message_expiration')).toBe('  from Global, set on a console');
});
