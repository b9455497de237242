import { describe, expect, test } from 'vitest';
import { simProcess, simWorld } from '../world/sim/index.ts';
import { checkProgram, validateProgram } from './check.ts';
import { loadFor } from './load-configuration.ts';

const FILE = 'Message_Expiration = 5\n';

async function fileFor(
  files: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  named?: string,
): Promise<string> {
  const world = simWorld();
  for (const file of files) world.disk.put(file, FILE);
  const process = simProcess({ environment, hostName: 'mx1.example' });
  return (await loadFor(world, process, named)).file;
}

describe('the main file of a program', () => {
  const places = ['global', 'mx1.example', 'node.7', 'default'].map(
    (name) => `/etc/impetus/conf/${name}/ecelerity.conf`,
  );
  const [global = '', host = '', node = '', common = ''] = places;

  test('is looked for in global, in the directory of the node, in default', async () => {
    expect(await fileFor([common, host, global])).toBe(global);
    expect(await fileFor([common, host])).toBe(host);
    expect(await fileFor([common, '/etc/impetus/impetus.conf'])).toBe(common);
    expect(await fileFor(['/etc/impetus/impetus.conf'])).toBe('/etc/impetus/impetus.conf');
  });

  test('the node is named by the environment, else by the host, dots and all', async () => {
    expect(await fileFor([common, host, node], { EC_NODE_NAME: 'node.7' })).toBe(node);
    expect(await fileFor([common, host, node], { EC_NODE_NAME: 'x', IMPETUS_NODE_NAME: 'node.7' })).toBe(node);
    await expect(fileFor([common], { EC_NODE_NAME: '../other' })).rejects.toThrow('cannot be the name of a node');
  });

  test('a search path of the environment replaces the default, ours before that of Momentum', async () => {
    const mine = '/mine/mx1.example/impetus.conf';
    expect(await fileFor([mine, common], { EC_CONF_SEARCH_PATH: '/mine/{SUBCLUSTER}:/mine/{NODENAME}' })).toBe(mine);
    const both = { EC_CONF_SEARCH_PATH: '/theirs', IMPETUS_CONF_SEARCH_PATH: '/mine/{NODENAME}' };
    expect(await fileFor([mine, '/theirs/impetus.conf'], both)).toBe(mine);
  });

  test('is never looked for in the current directory, but -c names one from there', async () => {
    await expect(fileFor(['/impetus.conf'])).rejects.toMatchObject({ reason: 'not found' });
    expect(await fileFor(['/impetus.conf'], {}, 'impetus.conf')).toBe('/impetus.conf');
  });
});

describe('--allow-remote-includes', () => {
  const url = 'http://conf.test/more.conf';

  async function run(
    program: typeof checkProgram,
    ...words: string[]
  ): Promise<{ readonly code: number; readonly said: string; readonly complained: string; readonly files: string[] }> {
    const world = simWorld();
    const process = simProcess();
    world.disk.put('/main.conf', `include "persist://${url}"\nLocal_Changes_File = /no/such/local.conf\n`);
    world.web.put(url, FILE);
    const code = await program(world, process, ['-c', 'main.conf', ...words]);
    return { code, said: process.said, complained: process.complained, files: world.disk.files() };
  }

  test.each([checkProgram, validateProgram])(
    'lets %o read documents of the web, without keeping copies',
    async (program) => {
      const refused = await run(program);
      expect(refused.code).toBe(1);
      expect(refused.complained).toContain('persist:// is read only with --allow-remote-includes');
      const read = await run(program, '--allow-remote-includes', '--include-copies', '/copies');
      expect(read).toMatchObject({ code: 0, said: expect.stringContaining('Configuration valid') });
      expect(read.complained).not.toContain('error');
      expect(read.files).toEqual(['/main.conf']);
    },
  );

  test('what only the server may write is a warning of the check', async () => {
    expect((await run(checkProgram, '--allow-remote-includes')).said).toContain(
      '/main.conf:2:22: warning: Local_Changes_File = /no/such/local.conf: this process may not write it',
    );
  });
});
