import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Checkout } from './checkout.ts';

const folder = tmpdir();

test.each([
  ['impetus', ['start', '-c', 'a b'], 'start|-c|a b'],
  ['impetus', [], ''],
  ['ec_console', ['/tmp/2025', 'show queue'], 'console|/tmp/2025|show queue'],
  ['ec_md5passwd', ['-r', 'a realm', 'fred'], 'md5passwd|-r|a realm|fred'],
  ['ec_show', ['-m', 'BA/10-00001-0123ABCD'], 'spool|ec_show|-m|BA/10-00001-0123ABCD'],
  ['ec_spool_check', ['-x', '/a b'], 'spool|check|-x|/a b'],
  ['validate_config', ['-c', '$x'], 'validate|-c|$x'],
  ['ec_dump_config', ['-c', '$x'], 'ec_dump_config|-c|$x'],
  ['ecelerity', ['-c', "o'f"], "start|-c|o'f"],
  ['impetusd', ['-c', ''], 'start|-c|'],
])('%s %j hands its words on and stays in the folder of its caller', async (name, words, expected) => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  await checkout.setUp();
  const said = `${[folder, ...(expected === '' ? [] : [expected])].join('|')}\n`;
  expect(await checkout.run([join(checkout.home, 'bin', name), ...words], {}, folder)).toEqual({ code: 0, said });
  expect(await checkout.run([checkout.linkTo(`bin/${name}`, 'other-name'), ...words], {}, folder)).toEqual({
    code: 0,
    said,
  });
});

test('a launcher sets up what is missing and then runs', async () => {
  using checkout = new Checkout({ node: 'v20.1.0' });
  const first = await checkout.run([join(checkout.home, 'bin/ec_console'), 'version'], {}, folder);
  expect(first.code).toBe(0);
  expect(first.said).toContain('set-up: ready');
  expect(first.said).toContain(`${folder}|console|version\n`);
  rmSync(join(checkout.home, 'dist'), { recursive: true });
  expect((await checkout.run([join(checkout.home, 'bin/impetus'), 'send'], {}, folder)).said).toContain(
    `${folder}|send\n`,
  );
  expect(checkout.work).toEqual(['node', 'packages', 'compile', 'compile']);
});

test('a launcher becomes the program: its exit code and its signals are the program’s own', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  checkout.write(
    'src/impetus.ts',
    "process.on('SIGTERM', () => process.exit(7)); console.log(process.pid); setInterval(() => {}, 1000);\n",
  );
  await checkout.setUp();
  const child = checkout.start([join(checkout.home, 'bin/ecelerity')], {}, folder);
  const ended = new Promise((resolve) => child.on('close', resolve));
  const pid = await new Promise((resolve) =>
    child.stdout?.on('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
  );
  expect(pid).toBe(child.pid);
  child.kill('SIGTERM');
  expect(await ended).toBe(7);
});
