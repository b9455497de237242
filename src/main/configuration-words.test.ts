import { expect, test } from 'vitest';
import { WholeServer } from '../../test/support/whole-server.ts';

test('a reload by signal tells the log what is doubtful, what needs a restart, and that something changes nothing', async () => {
  const { told, number } = await reloaded(
    'Spoolbase = "/other" Cluster_Max_Outbound_Connections = 5 Domain "/^(a*)*\\1(a*)*\\1(a*)*b$/" { }',
  );
  expect(told).toEqual([
    'NOTICE reloaded, generation 2',
    expect.stringMatching(/^WARNING .*impetus\.conf:1:\d+: warning: .* cannot be bounded/),
    'WARNING "Spoolbase" cannot be changed at run time; restart to apply',
    'WARNING 1 setting is accepted and not implemented yet: impetus check names them',
  ]);
  expect(number).toBe(2);
});

test('one that changes nothing of the kind tells that it was done, and no more', async () => {
  expect((await reloaded('Retry_Interval = 7')).told).toEqual(['NOTICE reloaded, generation 2']);
});

test('one that fails tells why, and changes nothing', async () => {
  const { told, number } = await reloaded('No_Such = 1');
  expect(told).toEqual([expect.stringMatching(/^ERROR Reconfigure failed: .*unknown option.*No_Such/s)]);
  expect(number).toBe(1);
});

test('the store of the API stays where it is until the next start, and the log says so', async () => {
  expect((await reloaded('API_Store_File = "/elsewhere"')).told).toContain(
    'WARNING "API_Store_File" cannot be changed at run time; restart to apply',
  );
});

async function reloaded(text: string): Promise<{ readonly told: readonly string[]; readonly number: number }> {
  const whole = await WholeServer.with('');
  whole.told.length = 0;
  await whole.reload(text);
  return { told: [...whole.told], number: whole.server.configuration.current.number };
}
