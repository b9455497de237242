import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describe } from '../../../scripts/catalogue/describe.ts';
import { UNITS } from '../../../scripts/catalogue/rows.ts';
import { buildCatalogue } from '../../../scripts/catalogue.ts';
import { catalogue } from './catalogue.ts';
import { rawOf } from './declare.ts';
import { typeOfRow } from './row-types.ts';
import { Schema } from './schema.ts';

const REFERENCE = fileURLToPath(new URL('../../../test/reference', import.meta.url));
const reference = <T>(name: string): T => JSON.parse(readFileSync(`${REFERENCE}/${name}.json`, 'utf8')) as T;

test('the catalogue is what scripts/catalogue.ts makes of the reference', () => {
  expect(catalogue).toEqual(buildCatalogue(REFERENCE));
});

test('every option, scope and module of the reference is known where it may stand', () => {
  const schema = new Schema([], []);
  const rows = reference<{ name: string; kind: string; scopes: string[] }[]>('options');
  const missing: string[] = [];
  for (const row of rows) {
    for (const scope of row.scopes) {
      if (scope === '*') continue;
      const known =
        row.kind === 'scope'
          ? schema.scope(scope, row.name)
          : schema.option(scope === '*module' ? 'ec_logger' : scope, row.name);
      if (!known) missing.push(`${scope}:${row.name}`);
    }
  }
  // Listeners and Listen only, says the page; in Peer they could not work.
  expect(missing.splice(0)).toEqual(['peer:proxy_protocol', 'peer:proxy_protocol_timeout']);
  expect([
    rows.filter((row) => row.kind === 'option').length,
    rows.filter((row) => row.kind === 'scope').length,
  ]).toEqual([529, 68]);

  const sending = reference<{
    options: { name: string; value_type: string; scopes: string[] }[];
    module_options: { name: string; module: string }[];
  }>('sending-options');
  for (const row of sending.options) {
    const name = row.name.toLowerCase();
    if (!schema.anywhere(name) && schema.scopesOf(name).length === 0) missing.push(name);
  }
  for (const row of sending.module_options) {
    if (!schema.option(row.module, row.name.toLowerCase())) missing.push(`${row.module}:${row.name}`);
  }
  expect([sending.options.length, sending.module_options.length]).toEqual([236, 62]);

  const { modules } = reference<{ modules: { name: string; kind: string }[] }>('modules');
  for (const module of modules)
    if (module.kind !== 'core facility' && !schema.scope('global', module.name)) missing.push(module.name);
  expect(modules).toHaveLength(111);
  expect(catalogue.modules).toHaveLength(111);
  expect(missing).toEqual([]);
});

test('every default can be read with the type of its option', () => {
  for (const row of catalogue.options) {
    if (row.default === undefined) continue;
    expect(() => typeOfRow(row).read(rawOf(row.default)), `${row.name} ${JSON.stringify(row.default)}`).not.toThrow();
  }
});

test('every option, scope and module is described in one line', () => {
  const wrong: string[] = [];
  for (const row of [...catalogue.options, ...catalogue.scopes, ...catalogue.modules]) {
    const summary = row.summary ?? '';
    if (summary.trim() === '' || summary.trim() !== summary || /[\n|]/.test(summary))
      wrong.push(`${row.name}: ${summary}`);
    if (summary.length > 100) wrong.push(`${row.name}: ${summary.length} characters`);
    if (/[.!]$/.test(summary)) wrong.push(`${row.name}: ends with a full stop`);
    // A lower-case start, unless the first word is a name: AAAA, DKIM, MX, Riak, SQLite, BODY=8BITMIME, tr/…/.
    if (/^[A-Z][a-z]+ /.test(summary) && !NAMES.has(summary.split(/[ :]/)[0] ?? ''))
      wrong.push(`${row.name}: ${summary}`);
  }
  expect(wrong).toEqual([]);
});

/** First words of summaries that are names. */
const NAMES = new Set([
  'Apple',
  'Brightmail',
  'Cassandra',
  'Cloudmark',
  'From',
  'Google',
  'Host',
  'Image',
  'Linux',
  'Lua',
  'Received',
  'Riak',
  'Sender',
  'Symantec',
]);

test('no two options, scopes or modules have the same description unless they have the same name', () => {
  for (const rows of [catalogue.options, catalogue.scopes, catalogue.modules]) {
    const names = new Map<string, string>();
    const twice: string[] = [];
    for (const { name, summary = '' } of rows) {
      const other = names.get(summary);
      if (other !== undefined && other !== name) twice.push(`${other} and ${name}: ${summary}`);
      names.set(summary, name);
    }
    expect(twice).toEqual([]);
  }
});

test('every duration, size and share has the unit of its type', () => {
  const wrong: string[] = [];
  const expected = new Map([
    ['duration_s', 'seconds'],
    ['duration_unit_string', 'seconds'],
    ['duration_ms', 'milliseconds'],
    ['size_bytes', 'bytes'],
    ['percent', 'percent'],
  ]);
  for (const row of catalogue.options) {
    const unit = expected.get(row.value);
    if (unit !== undefined && row.unit !== unit) wrong.push(`${row.name} in ${row.scopes[0]}: ${row.unit}`);
    if (['throttle', 'range_pair'].includes(row.value) && row.unit === undefined) wrong.push(row.name);
    if (['boolean', 'enum', 'path', 'string', 'mode', 'port'].includes(row.value) && row.unit) wrong.push(row.name);
  }
  expect(wrong).toEqual([]);
});

test('the units of the rows are those of the list, and each of the list is used', () => {
  expect([...new Set(catalogue.options.flatMap((row) => row.unit ?? []))].sort()).toEqual([...UNITS].sort());
});

test('the bounds of an adaptive option are counted as the option itself', () => {
  for (const row of catalogue.options) {
    if (row.value !== 'range_pair') continue;
    const bounded = catalogue.options.find(
      (each) => `adaptive_${each.name}` === row.name && each.scopes.includes('domain'),
    );
    expect(row.unit, row.name).toBe(bounded?.unit);
  }
});

test('a row without a description and a description without its row are mistakes that name it', () => {
  const described = buildCatalogue(REFERENCE);
  const fresh = { name: 'a_new_option', scopes: ['global'], value: 'integer' };
  expect(() => describe({ ...described, options: [fresh] })).toThrow('no description of a_new_option in global');
  expect(() => describe({ ...described, options: [] })).toThrow('_unsafe_spool in any scope is described, yet');
});

test('what the pages of the manual show inside of stanzas may stand there', () => {
  const schema = new Schema([], []);
  const shown: readonly (readonly [scope: string, option: string])[] = [
    ['destination', 'community'],
    ['dkim_domain', 'selector'],
    ['dkim_domain', 'base_domain'],
    ['replicate', 'parameters'],
    ['clamav', 'context_variable'],
    ['csapi', 'max_concurrency'],
    ['scheme', 'query'],
    ['match_header', 'pattern'],
    ['node', 'gen_count'],
    ['node', 'subscriber'],
    ['senderid', 'nxdomain_override_string'],
    ['brightmail', 'server'],
  ];
  expect(shown.filter(([scope, option]) => !schema.option(scope, option))).toEqual([]);
  expect(schema.scope('antivirus', 'csapi')?.instance).toBe('required');
  expect(schema.scope('seedlist', 'match_header')?.instance).toBe('required');
  expect(schema.scope('manager', 'node')?.instance).toBe('required');
});
