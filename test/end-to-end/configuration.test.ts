import { expect, test } from 'vitest';
import { Client, send } from './client.ts';
import { eventually, freePort, run, Scratch, ServerProcess, SinkProcess } from './harness.ts';

test('a plan says what the reload then does: queues, listeners, sessions', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  const more = 'Retry_Interval = 3600\n';
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port, more });
  await send(server.port, 'ann@origin.test', ['defer@dest.test']);
  await server.logged('T');
  await using client = await Client.connect(server.port);

  expect((await server.console('config', 'plan')).output).toContain('SMTP sessions: all 1 go on');
  const port = await freePort();
  server.configure(
    `${more}Max_Outbound_Connections = 3\nESMTP_Listener { Max_Message_Size = 1000 Listen "127.0.0.1:${port}" { } }`,
  );
  const plan = await server.console('config', 'plan');
  expect(plan).toMatchObject({ code: 0, errors: '' });
  expect(plan.output).toContain(`  opened      ESMTP_Listener 127.0.0.1:${port}\n`);
  expect(plan.output).toContain(`  kept        ESMTP_Listener 127.0.0.1:${server.port}\n`);
  expect(plan.output).toContain(
    'Queues: 1 of 1 see other values, with 1 message; the fullest first:\n' +
      '  Binding "default" Domain "127.0.0.1": 1 message\n    Max_Outbound_Connections 32 -> 3\n',
  );
  expect(plan.output).toContain('SMTP sessions: 1 of 1 get 421 at their next MAIL FROM or RSET\n');
  expect((await server.console('config', 'get', 'max_outbound_connections')).code).toBe(1);
  expect(await client.says('NOOP')).toMatch(/^250/);

  // A console that is open stays open over the commit, and each line is answered.
  const batch = await run('ec_console', [server.control], 'config reload\nconfig history\nconfig diff 1\n');
  expect(batch.code).toBe(0);
  expect(batch.output).toContain('Configuration reloaded, generation 2.\n');
  expect(batch.output).toMatch(/\* +2 .*reload of .*impetus\.conf, by console .*control\n/);
  expect(batch.output).toContain('+ Max_Outbound_Connections = 3\n');
  expect(await client.says('MAIL FROM:<ann@origin.test>')).toBe('421 4.3.2 Reconfiguration in progress');
  await using other = await Client.connect(port);
  expect(await other.says('NOOP')).toMatch(/^250/);

  server.process.signal('SIGHUP');
  await eventually('the reload', async () => (await server.console('config', 'history')).output.includes('by SIGHUP'));
  expect((await server.console('config', 'rollback', 'to', '1')).output).toBe(
    'Generation 1 is live again, as generation 4.\n',
  );
  expect((await server.console('config', 'rollback', 'to', '9')).code).toBe(1);
  expect((await server.console('config', 'explain', 'max_outbound_connections')).output).toContain(
    '> 2  built-in default  32\n',
  );
  await eventually('the socket closed', () =>
    Client.connect(port).then(
      () => false,
      () => true,
    ),
  );
});
