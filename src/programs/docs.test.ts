import { expect, test } from 'vitest';
import { diskWith } from '../../test/support/configuration.ts';
import { simProcess, simWorld } from '../world/sim/index.ts';
import { checkProgram } from './check.ts';
import { docsProgram } from './docs.ts';
import { schemaProgram } from './schema.ts';

const FILE = '/etc/impetus/impetus.conf';
const CONF = `Hostname = "mx.example.com"
Use_MTA_STS = false
Domain "example.com" {
  Max_Outbound_Connections = 5
  Xclient = no
}
ESMTP_Listener {
  SMTP_Extensions = ( PIPELINING REQUIRETLS )
  Listen "127.0.0.1:2525" { Concurrency = 4 }
}
XMPP_Listener {
  Listen "127.0.0.1:8080" { Enable = true }
}
`;

function docs(...words: readonly string[]): { code: number; said: string; complained: string } {
  const process = simProcess();
  const code = docsProgram(process, words);
  return { code, said: process.said, complained: process.complained };
}

async function check(text: string, ...words: readonly string[]) {
  const process = simProcess();
  const world = { ...simWorld(), disk: await diskWith(text) };
  const code = await checkProgram(world, process, words);
  return { code, said: process.said, complained: process.complained };
}

test('docs option: an entry and 0; an unknown name: what is near, on the error output, and 1', () => {
  const { code, said } = docs('option', 'Max_Retries');
  expect(code).toBe(0);
  expect(said).toMatch(/^Max_Retries/);
  expect(docs('option', 'max_retrys')).toEqual({
    code: 1,
    said: '',
    complained: 'There is no option "max_retrys". Did you mean Max_Retries, Max_Delay, Max_Rows?\n',
  });
  expect(JSON.parse(docs('option', 'max_retries', '--json').said)).toMatchObject([{ key: 'max_retries' }]);
  expect(JSON.parse(docs('option', 'max_retrys', '--json').said)).toEqual({
    error: 'unknown option',
    near: ['Max_Retries', 'Max_Delay', 'Max_Rows'],
  });
});

test('docs: --scope picks one of several, scope and module have entries of their own, and wrong words are 2', () => {
  expect(docs('option', 'timeout', '--scope', 'listen').said.match(/^Timeout/gm)).toHaveLength(1);
  expect(docs('option', 'timeout').said.match(/^Timeout/gm)?.length).toBeGreaterThan(3);
  expect(docs('option', 'timeout', '--scope', 'domain').code).toBe(1);
  expect(docs('scope', 'Domain')).toMatchObject({ code: 0, said: expect.stringMatching(/^Domain( - .*)?\n/) });
  expect(docs('module', 'bounce_logger')).toMatchObject({ code: 0, said: expect.stringMatching(/^bounce_logger/) });
  expect(docs('chapter', 'x')).toMatchObject({ code: 2 });
  expect(docs('scope', 'domain', '--scope', 'global')).toMatchObject({ code: 2 });
  expect(docs('option')).toMatchObject({ code: 2 });
});

test('check --coverage needs no configuration: families, stanzas, modules and a total', async () => {
  const { code, said } = await check('not read: {', '--coverage');
  expect(code).toBe(0);
  expect(said.match(/^\S.*: \d+ of \d+ (settings|stanzas|modules) are implemented$/gm)).toHaveLength(8);
  expect(said).toMatch(/^ {2}yes {3}Max_Outbound_Connections +Binding_Group, Binding, Domain/m);
  expect(said).toMatch(/^ {2}no {4}Xclient +Binding_Group, Binding, Domain - ./m);
  expect(said).toMatch(/^ {2}some {2}SMTP_Extensions .* without .*REQUIRETLS/m);
  expect(said.trimEnd().split('\n').at(-1)).toMatch(/^Total: \d+ of \d+ settings /);
  const data: unknown = JSON.parse((await check('', '--coverage', '--json')).said);
  expect(data).toMatchObject({
    families: { sending: { implemented: expect.any(Number), all: expect.any(Number) } },
    options: expect.arrayContaining([expect.objectContaining({ name: 'xclient', status: 'not implemented yet' })]),
  });
});

test('check -c FILE --coverage: how much of what the file uses is implemented, and what is not, with its place', async () => {
  const { code, said } = await check(CONF, '-c', FILE, '--coverage');
  expect(code).toBe(0);
  const lines = said.trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/ \(.*\)$/, ''))).toEqual([
    `${FILE}:2:1: not implemented yet: Use_MTA_STS in Global`,
    `${FILE}:5:3: not implemented yet: Xclient in Domain "example.com"`,
    `${FILE}:8:3: not implemented yet: REQUIRETLS of SMTP_Extensions in ESMTP_Listener`,
    `${FILE}:9:29: not implemented yet: Concurrency in Listen "127.0.0.1:2525"`,
    `${FILE}:11:1: not implemented yet: XMPP_Listener in Global`,
    `${FILE}:12:3: not implemented yet: Listen "127.0.0.1:8080" in XMPP_Listener`,
    `${FILE}:12:29: not implemented yet: Enable in Listen "127.0.0.1:8080"`,
    `${FILE} sets 7 options, 3 of them are implemented; it has 5 stanzas, 3 of them are implemented.`,
  ]);
  const data: unknown = JSON.parse((await check(CONF, '-c', FILE, '--coverage', '--json')).said);
  expect(data).toMatchObject({
    file: FILE,
    options: { implemented: 3, all: 7 },
    stanzas: { implemented: 3, all: 5 },
    notImplemented: expect.arrayContaining([
      expect.objectContaining({ name: 'concurrency', scope: 'listen', line: 9, column: 29, kind: 'option' }),
      expect.objectContaining({ name: 'smtp_extensions', values: ['REQUIRETLS'] }),
    ]),
  });
});

test('the coverage of a configuration that is wrong is its errors, as check has them', async () => {
  expect(await check('Hostnam = x\n', '-c', FILE, '--coverage')).toMatchObject({
    code: 1,
    said: '',
    complained: expect.stringContaining(`${FILE}:1:1: error: unknown option 'Hostnam'`),
  });
  expect((await check('', '-c', '/none.conf', '--coverage', '--json')).code).not.toBe(0);
});

test('schema: words that make no sense are 2, and --help explains them', () => {
  const process = simProcess();
  expect(schemaProgram(process, ['--nice'])).toBe(2);
  expect(schemaProgram(process, ['--help'])).toBe(0);
  expect(process.said).toContain('--json-schema');
});
