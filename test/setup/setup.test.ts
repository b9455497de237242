import { readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Checkout, finished } from './checkout.ts';

test('a fresh checkout on an old Node gets a Node, the packages and the program; after that there is nothing to do', async () => {
  using checkout = new Checkout({ node: 'v20.20.2' });
  const first = await checkout.setUp();
  expect(first.code).toBe(0);
  expect(first.said).toMatch(
    /Node 20\.20\.2 is not one .* fetching one .*\n.*installing the packages.*\n.*compiling\n.*ready\n/,
  );
  expect(checkout.work).toEqual(['node', 'packages', 'compile']);
  expect(readlinkSync(join(checkout.home, '.runtime/bin/node'))).toMatch(/^\.\.\/node-.*\/bin\/node$/);
  const kept = readdirSync(join(checkout.home, '.runtime')).find((name) => name.startsWith('node-'));
  expect(readdirSync(join(checkout.home, '.runtime', kept!)).sort()).toEqual(['LICENSE', 'bin']);

  expect(await checkout.setUp()).toEqual({ code: 0, said: '' });
  expect(checkout.work).toHaveLength(3);
});

test.each(['v22.19.0', 'v22.23.3', 'v24.0.0', 'v26.10.0', 'v28.0.0'])(
  'Node %s of the machine is used',
  async (version) => {
    using checkout = new Checkout({ node: version });
    const run = await checkout.setUp();
    expect(run).toMatchObject({
      code: 0,
      said: expect.stringContaining(`using the Node ${version.slice(1)} of this machine`),
    });
    expect(checkout.work).toEqual(['packages', 'compile']);
  },
);

test.each(['v16.20.2', 'v22.18.9', 'v23.11.0', 'v25.9.0', 'junk'])(
  'Node %s of the machine is not used',
  async (version) => {
    using checkout = new Checkout({ node: version });
    expect((await checkout.setUp()).code).toBe(0);
    expect(checkout.work).toEqual(['node', 'packages', 'compile']);
  },
);

test('two set-ups at once do the work once, and both end well', async () => {
  using checkout = new Checkout({ node: 'v20.20.2' });
  const runs = await Promise.all([checkout.setUp(), checkout.setUp()]);
  expect(runs.map((run) => run.code)).toEqual([0, 0]);
  expect(checkout.work).toEqual(['node', 'packages', 'compile']);
});

test('two set-ups at once do the work once on a machine without flock, even where a killed one left its lock', async () => {
  using checkout = new Checkout({ node: 'v24.1.0', flock: false });
  await checkout.setUp();
  rmSync(join(checkout.home, 'dist'), { recursive: true });
  // No process has this number: it is above what a system gives out.
  symlinkSync('pid-99999999', join(checkout.home, '.runtime/lock-by'));
  const runs = await Promise.all([checkout.setUp(), checkout.setUp()]);
  expect(runs.map((run) => run.code)).toEqual([0, 0]);
  expect(checkout.work).toEqual(['packages', 'compile', 'compile']);
  expect(checkout.has('.runtime/lock-by')).toBe(false);
});

test.each([
  ['Node', 'v20.20.2'],
  ['packages', 'v24.1.0'],
])('a set-up that is killed while the %s come in is done again by the next', async (_part, version) => {
  using checkout = new Checkout({ node: version });
  const child = checkout.start(['sh', 'scripts/setup.sh'], { FAKE_NPM: 'hang' });
  const ended = finished(child);
  while (!checkout.log.includes('hanging')) await pause(5);
  process.kill(-child.pid!, 'SIGKILL');
  await ended;
  const work = checkout.work.length;

  expect((await checkout.setUp()).code).toBe(0);
  expect(checkout.work.slice(work)).toEqual([...(version === 'v20.20.2' ? ['node'] : []), 'packages', 'compile']);
  expect(checkout.has('node_modules/typescript/bin/tsc')).toBe(true);
  expect(readdirSync(join(checkout.home, '.runtime')).filter((name) => !/^(bin|lock|node-.*)$/.test(name))).toEqual([]);
});

test('SIGTERM ends a set-up and leaves nothing half-made', async () => {
  using checkout = new Checkout({ node: 'v20.20.2' });
  const child = checkout.start(['sh', 'scripts/setup.sh'], { FAKE_NPM: 'hang' });
  const ended = finished(child);
  while (!checkout.log.includes('hanging')) await pause(5);
  process.kill(-child.pid!, 'SIGTERM');
  expect((await ended).code).toBe(143);
  expect(checkout.has('.runtime/fetching')).toBe(false);
  expect((await checkout.setUp()).code).toBe(0);
});

test('when npm fails its words are shown, the code is 1, and the next set-up succeeds', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  const run = await checkout.setUp({ FAKE_NPM: 'fail' });
  expect(run.code).toBe(1);
  expect(run.said).toContain('npm error the network is down');
  expect(run.said).toContain('the packages could not be installed');
  expect(checkout.has('node_modules/.installed')).toBe(false);
  expect((await checkout.setUp()).code).toBe(0);
});

test('a source that is changed, added or removed is compiled again, and a file lost from dist comes back', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  await checkout.setUp();
  const changes: (() => void)[] = [
    () => checkout.write('src/impetus.ts', '// changed\n'),
    () => checkout.write('src/more.ts', '// more\n'),
    () => rmSync(join(checkout.home, 'src/more.ts')),
    () => rmSync(join(checkout.home, 'dist/impetus.js')),
    () => checkout.write('dist/impetus.js', '// somebody was here\n'),
  ];
  for (const change of changes) {
    const work = checkout.work.length;
    change();
    expect((await checkout.setUp()).code).toBe(0);
    expect(checkout.work.slice(work)).toEqual(['compile']);
    expect(readdirSync(join(checkout.home, 'dist')).sort()).toEqual(
      readdirSync(join(checkout.home, 'src'))
        .map((name) => name.replace('.ts', '.js'))
        .concat('.built')
        .sort(),
    );
  }
});

test('a changed lock file brings the packages of that lock', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  await checkout.setUp();
  checkout.write('package-lock.json', '{ "lockfileVersion": 3, "packages": {} }\n');
  await checkout.setUp();
  expect(checkout.work).toEqual(['packages', 'compile', 'packages', 'compile']);
});

test('sources that do not compile leave the last program in its place', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  await checkout.setUp();
  checkout.write('src/more.ts', 'ERROR\n');
  const run = await checkout.setUp();
  expect(run.code).toBe(1);
  expect(run.said).toContain('src/more.ts(1,1): error');
  expect(run.said).toContain('do not compile');
  expect(readdirSync(join(checkout.home, 'dist')).sort()).toEqual(['.built', 'impetus.js']);
  expect(readdirSync(checkout.home).filter((name) => /^dist\./.test(name))).toEqual([]);
});

test('settings of the user and of a surrounding npm do not change what is installed', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  const settings = {
    NODE_ENV: 'production',
    npm_config_omit: 'dev',
    npm_config_global: 'true',
    npm_config_dry_run: 'true',
  };
  const run = await checkout.setUp({ ...settings, npm_config_package_lock: 'false', HOME: '' });
  expect(run.code).toBe(0);
  const call = JSON.parse(checkout.log[0]!) as { words: string[]; inherited: string[]; cache: string };
  expect(call.inherited).toEqual([]);
  expect(call.words).toEqual(
    expect.arrayContaining(['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--package-lock']),
  );
  expect(call.cache).toBe(join(checkout.home, '.runtime/npm-cache'));
});

test('a Node of the machine that goes away is replaced', async () => {
  using checkout = new Checkout({ node: 'v24.1.0' });
  await checkout.setUp();
  const link = join(checkout.home, '.runtime/bin/node');
  rmSync(link);
  symlinkSync('/nowhere/node', link);
  checkout.nodeIs('v20.1.0');
  expect((await checkout.setUp()).code).toBe(0);
  expect(checkout.work).toEqual(['packages', 'compile', 'node']);
});

test('a new pin of the fetched Node replaces the old one', async () => {
  using checkout = new Checkout({ node: 'v20.1.0' });
  await checkout.setUp();
  const nodes = (): string[] => readdirSync(join(checkout.home, '.runtime')).filter((name) => name.startsWith('node-'));
  const [before] = nodes();
  for (const platform of readdirSync(join(checkout.home, 'scripts/runtime')))
    checkout.write(`scripts/runtime/${platform}/package-lock.json`, '{ "lockfileVersion": 3 }\n');
  expect((await checkout.setUp()).code).toBe(0);
  expect(checkout.work).toEqual(['node', 'packages', 'compile', 'node']);
  expect(nodes()).toHaveLength(1);
  expect(nodes()).not.toContain(before);
});

test('without any Node it says what to install', async () => {
  using checkout = new Checkout({});
  expect(await checkout.setUp()).toMatchObject({
    code: 1,
    said: expect.stringContaining('Node.js was not found: install the nodejs and npm packages'),
  });
});

test('a ready checkout needs no right to write; one that is not says who must run it', async () => {
  // With a fetched Node, for root's stand-in may have no right to reach the Node of the tests.
  using checkout = new Checkout({ node: 'v20.1.0' });
  await checkout.setUp();
  let user = checkout.freeze();
  expect(await checkout.run(['sh', 'scripts/setup.sh'], {}, checkout.home, user)).toEqual({ code: 0, said: '' });
  using fresh = new Checkout({ node: 'v24.1.0' });
  user = fresh.freeze();
  const run = await fresh.run(['sh', 'scripts/setup.sh'], {}, fresh.home, user);
  expect(run).toMatchObject({
    code: 1,
    said: expect.stringContaining('cannot be written: run this as the user who owns that folder'),
  });
});
