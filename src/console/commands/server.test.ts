import { expect, test } from 'vitest';
import { FakeHouse } from '../../../test/support/console/fake-house.ts';
import { run } from '../../../test/support/console/run.ts';
import { referenceCommands } from '../reference.ts';
import { commands } from './list.ts';

test('version, pid and sysinfo say what runs here', async () => {
  const house = new FakeHouse();
  const rule = '#'.repeat(46);
  expect((await run(house, 'version')).text).toBe(`${rule}\n# impetus version: 1.2.3\n# mx.example\n${rule}\n`);
  expect((await run(house, 'pid')).text).toBe('4711\n');
  expect((await run(house, 'sysinfo')).text).toBe(
    'impetus Version: 1.2.3 (64-bit)\nbuild date: 2026-03-01\nproduct name: impetus\nLinux 6.1\nLinux mx 6.1 x86_64\n',
  );
});

test('config and reload go to the configuration as they were typed', async () => {
  const house = new FakeHouse();
  expect(await run(house, '  config set listen *:25  Banner = ( "a b" "c\\"" )')).toEqual({
    result: 'ok',
    text: 'ran set listen *:25  Banner = ( "a b" "c\\"" )\n',
  });
  expect((await run(house, 'config set X "open')).result).toBe('ok');
  expect(await run(house, 'config get bad')).toEqual({
    result: 'failed',
    text: "config: unknown option 'bad' in scope ''\n",
  });
  await run(house, 'reload');
  await run(house, 'reload /etc/other.conf');
  expect(house.configLines.slice(-2)).toEqual(['reload', 'reload /etc/other.conf']);
  expect((await run(house, 'config')).text).toMatch(/^config command not understood\nusage: config get/);
  expect((await run(house, 'write config')).text).toBe('Hostname = "mx.example"\n');
  expect(await run(house, 'write config /tmp/x')).toEqual({ result: 'ok', text: '' });
});

test('module list has a paragraph for each module, singletons without an instance', async () => {
  const house = new FakeHouse();
  house.moduleFacts = [
    {
      scope: 'ec_logger',
      instance: 'main',
      enabled: true,
      kind: 'Logger',
      name: 'ec_logger',
      description: 'mainlog and others',
    },
    {
      scope: 'ds_core',
      instance: undefined,
      enabled: false,
      kind: 'Singleton',
      name: 'ds_core',
      description: 'data sources',
    },
  ];
  expect((await run(house, 'module list')).text).toBe(
    'Module: ec_logger:main\n  Scope_Name: ec_logger\n  Instance_Name: main\n  Enabled: enabled\n  API: Logger\n  Name: ec_logger\n  Description: mainlog and others\n' +
      'Module: ds_core\n  Scope_Name: ds_core\n  Enabled: disabled\n  API: Singleton\n  Name: ds_core\n  Description: data sources\n',
  );
});

test('commands of modules are found by their whole words and stand in help', async () => {
  const house = new FakeHouse();
  house.moduleCommands = [
    {
      words: 'ec_logger:main reopen logs',
      summary: 'open its files again',
      run: async function* (rest) {
        yield `reopened${rest.join(',')}\n`;
      },
    },
  ];
  expect((await run(house, 'ec_logger:main reopen logs')).text).toBe('reopened\n');
  expect(await run(house, 'ec_logger:other reopen logs')).toEqual({
    result: 'failed',
    text: 'ec_logger reopen logs: not implemented yet\n',
  });
  expect((await run(house, 'help')).text).toContain('ec_logger:main reopen logs  open its files again\n');
});

test('paniclog prints the last ten of each level, the worst first', async () => {
  const house = new FakeHouse();
  house.events.diagnose('INFO', 'core', 'started');
  for (let count = 1; count <= 11; count++) house.events.diagnose('ERROR', 'spool', `trouble ${count}`);
  const lines = (await run(house, 'paniclog')).text.split('\n');
  expect(lines).toHaveLength(12);
  expect(lines[0]).toBe('[Tue 03 Mar 2026 10:00:00] [ERROR] spool: trouble 2');
  expect(lines[10]).toBe('[Tue 03 Mar 2026 10:00:00] [INFO] core: started');
});

test('a command of a module that says it failed ends with 1', async () => {
  const house = new FakeHouse();
  house.moduleCommands = [
    {
      words: 'ec_logger:main reopen logs',
      summary: '',
      async *run() {
        yield 'not all logs were reopened\n';
        return 'failed';
      },
    },
  ];
  expect(await run(house, 'ec_logger:main reopen logs')).toEqual({
    result: 'failed',
    text: 'not all logs were reopened\n',
  });
});

test('reopen logs names what was not reopened, and ends with 1', async () => {
  const house = new FakeHouse();
  house.reopenTroubles = ['/var/log/mainlog: EACCES'];
  expect(await run(house, 'reopen logs')).toEqual({
    result: 'failed',
    text: '/var/log/mainlog: EACCES\n1 loggers reopened.\n',
  });
});

test('reopen logs and shutdown act on the house', async () => {
  const house = new FakeHouse();
  expect((await run(house, 'reopen logs')).text).toBe('2 loggers reopened.\n');
  expect((await run(house, 'shutdown now')).result).toBe('usage');
  expect(house.shutdowns).toEqual([]);
  expect((await run(house, 'shutdown')).text).toBe('Shutting down.\n');
  expect(house.shutdowns).toEqual(['shutdown']);
});

test('help lists every command once, sorted, and explains one or a family', async () => {
  const { text } = await run(new FakeHouse(), 'help');
  const words = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  ', 1)[0]);
  expect(words).toEqual(commands.map((command) => command.words).sort());
  expect((await run(new FakeHouse(), 'help showqueue')).text).toBe(
    'showqueue [binding BINDING|all] DOMAIN [limit,offset]\n    messages that wait for a domain\n',
  );
  expect((await run(new FakeHouse(), 'help message')).text.split('\n')).toHaveLength(7);
  expect((await run(new FakeHouse(), 'help nothing')).result).toBe('failed');
});

test('help option, scope and module print entries of the manual; commands of these words are told as before', async () => {
  const house = new FakeHouse();
  const option = await run(house, 'help option Max_Retries');
  expect(option.result).toBe('ok');
  expect(option.text).toMatch(/^Max_Retries.*\n {4}Type /);
  expect((await run(house, 'help option timeout listen')).text.match(/^Timeout/gm)).toHaveLength(1);
  expect((await run(house, 'help scope domain')).text).toMatch(/^Domain( - .*)?\n/);
  expect((await run(house, 'help module ec_logger')).text).toMatch(/^ec_logger - /);
  expect(await run(house, 'help option max_retrys')).toEqual({
    result: 'failed',
    text: 'There is no option "max_retrys". Did you mean Max_Retries, Max_Delay, Max_Rows?\n',
  });
  expect((await run(house, 'help module list')).text).toMatch(/^module list\n/);
  expect((await run(house, 'help option')).result).toBe('usage');
  expect((await run(house, 'help scope domain listen')).result).toBe('usage');
  expect(JSON.parse((await run(house, 'json help option max_retries')).text)).toMatchObject([{ key: 'max_retries' }]);
  expect((await run(house, 'json help mailq')).result).toBe('usage');
});

test.each([
  ['frobnicate', 'Unknown command\n', 'usage'],
  ['sumary', 'Unknown command\nDid you mean summary?\n', 'usage'],
  ['message eat X', 'message command not understood\n', 'usage'],
  ['tls rekey', 'tls command not understood\n', 'usage'],
  ['binding', 'binding command not understood\n', 'usage'],
  ['memory', 'memory: not implemented yet\n', 'failed'],
  ['fail all --meta a b', 'fail all: not implemented yet\n', 'failed'],
  ['dns_cache refcnts', 'dns_cache refcnts: not implemented yet\n', 'failed'],
  ['cluster membership', 'cluster membership: not available on a single node\n', 'failed'],
  ['fingerprint cache summary', 'fingerprint cache summary: not supported\n', 'failed'],
  ['xml', 'usage: xml COMMAND\n', 'usage'],
  ['json', 'usage: json COMMAND\n', 'usage'],
  ['json json summary', 'usage: json COMMAND\n', 'usage'],
  ['xml memory', 'xml: not implemented yet; json COMMAND gives the same as JSON for some commands\n', 'failed'],
  ['json paniclog', 'json paniclog: not implemented yet\n', 'failed'],
  ['json summary x', 'summary command not understood\n', 'usage'],
  ['showqueue "a', 'a quote is not closed\n', 'usage'],
  ['', '', 'ok'],
])('%j is answered honestly', async (line, text, result) => {
  expect(await run(new FakeHouse(), line)).toEqual({ text, result });
});

test('every command of the manual is answered by its name: none is unknown', async () => {
  for (const { words } of referenceCommands) {
    if (words === 'shutdown') continue;
    expect((await run(new FakeHouse(), words)).text, words).not.toContain('Unknown command');
  }
});
