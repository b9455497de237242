import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
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
  expect(missing).toEqual([]);
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
