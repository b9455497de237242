import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { endpointText, parseEndpoint } from '../../src/base/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { declaredOptions, moduleNames } from '../../src/main/index.ts';
import { simWorld } from '../../src/world/sim/index.ts';
import { ListeningHouse } from '../support/listening.ts';

const page = readFileSync(new URL('../../docs/listeners.md', import.meta.url), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** Each configuration of the page with what stands under it. */
const examples: { readonly conf: string; readonly claims: Block[] }[] = [];
for (const [, language = '', text = ''] of page.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
  if (language === 'conf') examples.push({ conf: text, claims: [] });
  // What haproxy makes of its block is tried by test/peers/haproxy.test.ts.
  else if (language !== 'haproxy') examples.at(-1)?.claims.push({ language, text });
}

/** The cells in code style of the rows of a table, by its head. */
function table(head: string): string[][] {
  const rows = page.slice(page.indexOf(head)).split('\n\n')[0]?.split('\n').slice(2) ?? [];
  return rows.map((row) =>
    row
      .split('|')
      .map((cell) => /^ `(.*)` $/.exec(cell)?.[1])
      .filter((cell) => cell !== undefined),
  );
}

test('the page has examples of every kind, and both tables', () => {
  expect(examples).toHaveLength(7);
  const kinds = new Set(examples.flatMap(({ claims }) => claims.map(({ language }) => language)));
  expect([...kinds].sort()).toEqual(['check', 'console', 'opens', 'reload', 'steps']);
  expect(table('| written | is |').length).toBeGreaterThan(10);
  expect(table('| written | error |').length).toBeGreaterThan(10);
});

test.each(table('| written | is |'))('%s is the endpoint %s', (written = '', key = '') => {
  const endpoint = parseEndpoint(written);
  expect(endpoint.kind === 'error' ? endpoint.text : endpointText(endpoint)).toBe(key);
});

test.each(table('| written | error |'))('%s is refused: %s', (written = '', why = '') => {
  expect(parseEndpoint(written)).toEqual({ kind: 'error', text: why });
});

describe.each(examples.map(({ conf, claims }, index) => [index + 1, conf, claims] as const))(
  'example %i',
  (_, conf, claims) => {
    test('does what stands under it', async () => {
      expect(claims.length).toBeGreaterThan(0);
      const house = await ListeningHouse.with(conf);
      for (const { language, text } of claims) {
        const lines = text.trimEnd().split('\n');
        switch (language) {
          case 'opens':
            expect(house.doors.names.filter((name) => name !== 'Control_Listener /c').sort()).toEqual(lines.sort());
            break;
          case 'check':
            expect(await notImplemented(conf)).toEqual(lines);
            break;
          case 'console': {
            const said: string[] = [];
            for (const line of lines.filter((each) => each.startsWith('> config ')))
              said.push(line, await house.config(line.slice('> config '.length)));
            expect(said.map((each) => each.trim())).toEqual(lines);
            break;
          }
          case 'reload':
            await house.reload(text);
            break;
          case 'steps': {
            const words: Readonly<Record<string, string>> = { '+': 'opened  ', '-': 'closed  ', '~': 'changed ' };
            expect(house.steps.map((step) => `${words[step[0] ?? '']}${step.slice(1)}`)).toEqual(lines);
            break;
          }
          default:
            throw new Error(`a claim of an unknown kind: ${language}`);
        }
      }
    });
  },
);

/** What `impetus check` names, as the whole program loads it. */
async function notImplemented(text: string): Promise<readonly string[]> {
  const { disk, clock } = simWorld();
  disk.put('/x.conf', text);
  const declared = declaredOptions;
  const configuration = await loadConfiguration({
    disk,
    clock,
    file: '/x.conf',
    searchPath: [],
    declared,
    modules: moduleNames,
  });
  return configuration.notImplemented.map((notice) => notice.text);
}
