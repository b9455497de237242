import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/http/index.ts';
import { freePort, home, Running, Scratch } from '../end-to-end/harness.ts';

const page = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8');
const shell = promisify(execFile);

interface Step {
  readonly command: string;
  answer: string;
}

/** Each configuration of the page, with the commands under it and what they print. */
const examples: { readonly conf: string; readonly steps: Step[] }[] = [];
for (const [, language = '', text = ''] of page.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
  if (language === 'conf') examples.push({ conf: text, steps: [] });
  else if (language === 'sh') examples.at(-1)?.steps.push({ command: text, answer: '' });
  else if (language === 'json' || language === 'text') {
    const last = examples.at(-1)?.steps.at(-1);
    if (last !== undefined) last.answer = text.trim();
  }
}

test('the page has examples with answers, and names codes that exist', () => {
  expect(examples).toHaveLength(3);
  const steps = examples.flatMap((each) => each.steps);
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.every(({ answer }) => answer !== '')).toBe(true);
  for (const [, code = ''] of page.matchAll(/"code":"(\d+)"/g)) expect(Object.keys(CODES)).toContain(code);
});

test('docs/errors.md has the codes that are in use, with their status and message', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\d{4})` \| (\d{3}) \| ([^|]+) \|/gm)];
  const used = new Set<string | undefined>(
    sourcesOf('src/http', 'src/api', 'src/generation').flatMap((source) =>
      [
        ...source.matchAll(/(?:refusal|Trouble|super)\(\s*(?:[\w.]+ === [\w']+ \? )?'(\d{4})'(?: : '(\d{4})')?/g),
      ].flatMap(([, one, other]) => [one, other]),
    ),
  );
  used.delete(undefined);
  expect(rows.map(([, code]) => code)).toEqual([...used].sort());
  for (const [, code = '', status, message] of rows)
    expect(CODES).toMatchObject({ [code]: { status: Number(status), message } });
});

/** Code of rooms, without their tests. */
function sourcesOf(...rooms: readonly string[]): readonly string[] {
  return rooms.flatMap((room) =>
    readdirSync(join(home, room))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(home, room, name), 'utf8')),
  );
}

describe.each(examples.map(({ conf, steps }, index) => [index + 1, conf, steps] as const))(
  'example %i',
  (_, conf, steps) => {
    test('does what stands under it, with real programs', async () => {
      using scratch = new Scratch();
      const port = await freePort();
      const file = join(scratch.path, 'impetus.conf');
      const here = (text: string): string => text.replaceAll('127.0.0.1:2081', `127.0.0.1:${port}`);
      writeFileSync(
        file,
        `Spoolbase = "${scratch.path}/spool"\nAPI_Key_File = "${scratch.path}/keys.json"\nControl_Listener { Listen "${scratch.path}/c" { } }\n${here(conf)}`,
      );
      await using server = new Running(join(home, 'bin/impetus'), ['start', '-c', file]);
      while (!server.output.includes('is ready')) {
        if (server.over) throw new Error(server.errors);
        await new Promise((resolve) => setImmediate(resolve));
      }
      let before = `impetus() { sh "${join(home, 'bin/impetus')}" "$@"; }\nCONF='${file}'\n`;
      for (const { command, answer } of steps) {
        const assigned = /^KEY=.*$/m.exec(command)?.[0];
        if (assigned !== undefined) {
          const { stdout } = await shell('sh', ['-c', `${before}${here(assigned)}\necho "$KEY"`]);
          before += `KEY=${stdout.trim()}\n`;
          // A running server takes notice within a second.
          await shell('sleep', ['1']);
        }
        const rest = command.replace(/^KEY=.*\n/m, '');
        const { stdout } = await shell('sh', ['-c', `${before}${here(rest)}`]);
        const wanted = answer.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        expect(stdout.trim().replace(/"uptime":\d+/, '"uptime":0')).toMatch(new RegExp(`^${wanted.join('[^"]+')}$`));
      }
    });
  },
);
