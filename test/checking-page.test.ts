import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lintRules } from '../src/config/index.ts';
import { runProgram } from '../src/programs/index.ts';
import { simProcess, simWorld } from '../src/world/sim/index.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../docs/checking.md', import.meta.url)), 'utf8');
const MAIN = '/etc/impetus/impetus.conf';

/** The programs by the names that the page calls them. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  impetus: [],
  validate_config: ['validate'],
  ec_dump_config: ['ec_dump_config'],
};

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksIn(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', block = '']) => ({
    language,
    text: block,
  }));
}

/** What a command prints about a configuration, on both ways out. */
async function printed(configuration: string, words: readonly string[]): Promise<string> {
  const world = simWorld();
  await world.disk.makeDirectory('/etc/impetus');
  await world.disk.replace(MAIN, Buffer.from(configuration));
  const process = simProcess();
  const [name = '', ...rest] = words;
  const [program = '', ...more] = [...(PROGRAMS[name] ?? []), ...rest];
  const terminal = (): never => expect.fail('a check needs no terminal');
  await runProgram(
    { world, process, programs: { pipe: () => expect.fail('a check starts no program') }, home: '/', terminal },
    program,
    more,
  );
  return process.complained + process.said;
}

test('every command of docs/checking.md prints what stands there', async () => {
  let configuration = '';
  let commands = 0;
  for (const { language, text } of blocksIn(PAGE)) {
    if (language === 'conf') configuration = text;
    if (language !== 'console') continue;
    const [command = '', ...output] = text.split('\n');
    expect(command.startsWith('$ ')).toBe(true);
    expect(await printed(configuration, command.slice(2).split(' ')), command).toBe(output.join('\n'));
    commands++;
  }
  expect(commands).toBeGreaterThanOrEqual(7);
});

const sections = new Map(
  [...PAGE.matchAll(/^### `([a-z-]+)`\n(.*?)(?=^##)/gms)].map(([, id = '', text = '']) => [id, text]),
);

test('the page has every rule, in their order, and no other', () => {
  expect([...sections.keys()]).toEqual(lintRules.map(({ id }) => id));
});

test.each(lintRules.map(({ id }) => id))(
  'the first example of %s is warned of, the second is not by any rule',
  async (id) => {
    const [bad, good] = blocksIn(sections.get(id) ?? '').filter(({ language }) => language === 'conf');
    const words = ['impetus', 'check', '-c', MAIN, '--pedantic', '--no-files'];
    expect(await printed(bad?.text ?? '', words)).toContain(`[${id}]`);
    const said = await printed(good?.text ?? 'nothing', words);
    expect(said).toContain('Configuration valid');
    expect(said).not.toMatch(/\[[a-z-]+\]$/m);
  },
);
