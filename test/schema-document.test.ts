import { expect, test } from 'vitest';
import { declaredOptions, moduleNames } from '../src/main/index.ts';
import { runProgram } from '../src/programs/index.ts';
import { simProcess, simWorld } from '../src/world/sim/index.ts';
import { configured } from './support/configuration.ts';
import { schemaMistakes } from './support/json-schema.ts';

interface Entry {
  readonly key: string;
  readonly [field: string]: unknown;
}

interface Document {
  readonly version: number;
  readonly options: readonly Entry[];
  readonly scopes: readonly Entry[];
  readonly modules: readonly { readonly name: string }[];
}

async function said(...words: readonly string[]): Promise<unknown> {
  const process = simProcess();
  const terminal = () => {
    throw new Error('no terminal is needed');
  };
  const programs = { pipe: terminal };
  expect(await runProgram({ world: simWorld(), process, programs, home: '/', terminal }, 'schema', words)).toBe(0);
  return JSON.parse(process.said);
}

test('impetus schema writes what its JSON Schema describes', async () => {
  const schema = await said('--json-schema');
  const document = (await said()) as Document;
  expect(schemaMistakes(schema, document)).toEqual([]);
  expect(await said('--pretty')).toEqual(document);
  expect(document.version).toBe(1);
});

test('what does not fit is told: the check of the form can fail', async () => {
  const schema = await said('--json-schema');
  const document = (await said()) as Document;
  const [first, ...rest] = document.options;
  const with_ = (change: object): unknown => ({ ...document, options: [{ ...first, ...change }, ...rest] });
  expect(schemaMistakes(schema, { ...document, version: 2 })).toEqual(['/version: is not 1']);
  expect(schemaMistakes(schema, with_({ more: 1 }))).toEqual(['/options/0: has more, which is not known']);
  expect(schemaMistakes(schema, with_({ scopes: [] }))).toEqual(['/options/0/scopes: has fewer than 1 items']);
  expect(schemaMistakes(schema, with_({ type: { kind: 'enumeration' } }))).toEqual([
    '/options/0/type: fits 0 of the forms and not one',
  ]);
  expect(schemaMistakes(schema, with_({ key: 'Upper' }))[0]).toMatch(/^\/options\/0\/key: does not match/);
  const { modules: _, ...without } = document;
  expect(schemaMistakes(schema, without)).toEqual(['/: lacks modules']);
});

test('an editor finds there what it asks for', async () => {
  const { options, scopes, modules } = (await said()) as Document;
  const option = (key: string): Entry | undefined => options.find((each) => each.key === key);
  expect(option('max_outbound_connections')).toMatchObject({
    name: 'Max_Outbound_Connections',
    type: { kind: 'integer' },
    default: 32,
    defaultByScope: { host: -1 },
    dynamic: true,
    status: 'implemented',
    manualPage: 'config/ref-max-outbound-connections',
  });
  expect(option('pathway')).toMatchObject({ type: { kind: 'reference' }, refersTo: 'pathway' });
  expect(option('spool_mode')).toMatchObject({ type: { kind: 'mode' }, dynamic: false });
  expect(option('retry_interval')).toMatchObject({ type: { kind: 'duration', unit: 'seconds' }, default: 1200 });
  expect(option('smtp_extensions')).toMatchObject({ status: 'in part' });
  expect(option('smtp_extensions')?.valuesNotImplemented).toContain('REQUIRETLS');
  expect(option('pipeline_out')).toMatchObject({ inMomentum: false, default: true });
  expect(scopes.find(({ key }) => key === 'listen')).toMatchObject({
    name: 'Listen',
    instance: 'required',
    children: ['peer'],
    status: 'in part',
    implementedIn: ['control_listener', 'ecstream_listener', 'esmtp_listener', 'http_listener'],
  });
  expect(modules.find(({ name }) => name === 'ec_logger')).toMatchObject({ tier: 'must', stanza: true });
  expect(modules).toHaveLength(111);
});

test('every example, and every spelling of every option, is accepted by the server that wrote them', async () => {
  const { options } = (await said()) as Document;
  const wrong: string[] = [];
  const lines = options.flatMap(({ example, spellings, name }) => {
    const line = String(example);
    if (line.startsWith('include') || line.startsWith('readonly_include')) return [];
    const [, before = '', after = ''] = new RegExp(`^(.*${name} = ).*?((?: })*)$`).exec(line) ?? [];
    return [line, ...(spellings as readonly string[]).map((each) => `${before}${each}${after}`)];
  });
  expect(lines.length).toBeGreaterThan(3000);
  // Of a pathway that is named there must be one.
  const context = 'Pathway "name" { }\n';
  const load = async (text: string): Promise<unknown> => {
    try {
      await configured(`${context}${text}\n`, declaredOptions, moduleNames);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  // Many at once, and alone only where that fails: a value is told by its own line.
  for (let at = 0; at < lines.length; at += 200) {
    const some = lines.slice(at, at + 200);
    if ((await load(some.join('\n'))) === undefined) continue;
    for (const line of some) {
      const error = await load(line);
      if (error !== undefined) wrong.push(`${line}: ${error}`);
    }
  }
  expect(wrong).toEqual([]);
});
