import { expect, test } from 'vitest';
import { WholeServer } from '../../test/support/whole-server.ts';

test('what no paniclog takes goes to standard error, also when a reload takes the last one away or brings the first', async () => {
  const whole = await WholeServer.with('');
  const { process } = whole;
  const said = async (text: string): Promise<string> => {
    process.complained = '';
    await whole.reload(text);
    return process.complained;
  };
  expect(process.complained).toContain('NOTICE main: started');
  expect(await said('ec_logger { Paniclog = "/log/panic" }')).toBe('');
  await whole.world.clock.advance(200);
  expect(whole.world.disk.text('/log/panic')).toContain('config: reloaded, generation 2');
  expect(await said('')).toBe('NOTICE config: reloaded, generation 3\n');
});
