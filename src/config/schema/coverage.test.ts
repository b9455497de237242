import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { boolean, enumeration, integer, option, type ValueType } from '../index.ts';
import { catalogue } from './catalogue.ts';
import { coverageOf, Scopes, unservedParts } from './coverage.ts';
import { rawOf } from './declare.ts';
import { typeOfRow } from './row-types.ts';
import { Schema } from './schema.ts';
import { shapeOf } from './settings.ts';

const REFERENCE = fileURLToPath(new URL('../../../test/reference', import.meta.url));
const reference = <T>(name: string): T => JSON.parse(readFileSync(`${REFERENCE}/${name}.json`, 'utf8')) as T;

const only = (declared: ConstructorParameters<typeof Schema>[0], modules: readonly string[] = []) =>
  coverageOf(new Schema(declared, modules));

test('every option and scope of the reference, in each place where it may stand, is counted once', () => {
  const { options, stanzas, families, total } = only([]);
  const places = new Set(
    options.flatMap(({ setting, served, unserved }) =>
      [...served, ...unserved].map((scope) => `${scope}:${setting.name}`),
    ),
  );
  expect(places.size).toBe(total.settings.all);
  expect(Object.values(families).reduce((sum, { all }) => sum + all, 0)).toBe(total.settings.all);

  const rows = reference<{ name: string; kind: string; scopes: string[] }[]>('options');
  const known = new Set([
    ...places,
    ...stanzas.flatMap(({ row, served, unserved }) =>
      [...served, ...unserved].map((parent) => `${parent}:${row.name}`),
    ),
  ]);
  const missing = rows.flatMap(({ name, scopes }) =>
    scopes.filter((scope) => !known.has(`${scope}:${name}`)).map((scope) => `${scope}:${name}`),
  );
  // Listeners and Listen only, says the page; in Peer they could not work.
  expect(missing).toEqual(['peer:proxy_protocol', 'peer:proxy_protocol_timeout']);
  expect(options).toHaveLength(catalogue.options.length);
  expect(stanzas).toHaveLength(catalogue.scopes.length);
});

test('every module of the reference is counted, with its tier', () => {
  const { modules, total } = only([]);
  const listed = reference<{ modules: { name: string; tier: string }[] }>('modules').modules;
  expect(new Map(modules.map(({ name, tier }) => [name, tier]))).toEqual(
    new Map(listed.map(({ name, tier }) => [name, tier])),
  );
  expect(total.modules).toEqual({ implemented: 0, all: listed.length });
});

test('where nobody reads anything, the directives that load files are all that is implemented', () => {
  const { total, options } = only([]);
  expect(options.filter(({ state }) => state !== 'not implemented yet').map(({ setting }) => setting.name)).toEqual([
    'include',
    'readonly_include',
  ]);
  expect(total.settings.implemented).toBe(2);
});

test('an option counts in the scopes where it is read: not in those it is declared unserved, nor in stanzas that nobody reads', () => {
  const declared = [
    option('max_resident_messages', integer, { unservedIn: ['binding'] }),
    option('file_mode', integer, { scope: 'listen', initial: 0 }),
  ];
  const { options } = only(declared);
  const of = (name: string, scope: string) =>
    options.find(({ setting }) => setting.name === name && setting.scopes.includes(scope));
  expect(of('max_resident_messages', 'global')).toMatchObject({ state: 'in part', unserved: ['binding'] });
  const mode = of('file_mode', 'listen');
  expect(mode?.served).toEqual(['control_listener', 'ecstream_listener', 'esmtp_listener', 'http_listener', 'listen']);
  expect(mode?.unserved).toContain('xmpp_listener');
});

test('words that Momentum knows and nobody takes are parts that are missing, and so are parts a type calls unserved', () => {
  const method = option('delivery_method', enumeration('ESMTP', 'SMTP', 'LMTP'));
  const half: ValueType<boolean> = { ...boolean, unserved: (raw) => (boolean.read(raw) ? ['the half of it'] : []) };
  const unlink = option('unlink_on_spool_in_failure', half);
  const { options } = only([method, unlink]);
  const rows = options.filter(({ setting }) => setting.declared.length > 0);
  expect(rows.map(({ setting, state, parts }) => [setting.name, state, parts])).toEqual([
    ['delivery_method', 'in part', ['ECSTREAM', 'APN', 'GCM', 'MM7']],
    ['unlink_on_spool_in_failure', 'in part', ['the half of it']],
  ]);
  expect(rows.map(({ setting }) => unservedParts(setting))).toEqual(rows.map(({ parts }) => parts));
});

test('a module is implemented as a whole only with all its options; a facility of the core by the option that rules it', () => {
  const hook = option('generate_bounces', boolean);
  const level = option('mainlog', { ...boolean, read: () => true }, { scope: 'ec_logger' });
  const { modules, stanzas } = only([hook, level], ['ec_logger', 'our_own']);
  const named = new Map(modules.map((module) => [module.name, module]));
  expect(named.get('ec_logger')).toMatchObject({ state: 'in part', options: { implemented: 1 } });
  expect(named.get('generate_bounces')).toMatchObject({ state: 'implemented', options: { implemented: 1, all: 1 } });
  expect(named.get('xclient')).toMatchObject({ state: 'not implemented yet' });
  expect(named.get('our_own')).toMatchObject({ state: 'implemented', tier: '' });
  expect(stanzas.find(({ row }) => row.name === 'our_own')?.state).toBe('implemented');
});

test('scopes belong to families: nested stanzas to the module that holds them', () => {
  const scopes = new Scopes(new Schema([], []));
  expect(
    [
      'domain',
      'host',
      'pathway',
      'peer',
      'http_listener',
      'global',
      'threadpool',
      'topology',
      'ec_logger',
      '*module',
    ].map((scope) => scopes.family(scope)),
  ).toEqual(['sending', 'host', 'receiving', 'listener', 'listener', 'global', 'global', 'module', 'module', 'module']);
});

test('each word that the shape of an option lists is read by its type', () => {
  let count = 0;
  for (const { setting } of only([]).options) {
    const shape = shapeOf(setting);
    if (shape.kind !== 'enumeration' || setting.row === undefined) continue;
    for (const word of [...shape.words, ...Object.keys(shape.aliases ?? {})]) {
      expect(typeOfRow(setting.row).read(rawOf(word)), `${setting.name} ${word}`).toBe(shape.aliases?.[word] ?? word);
      count++;
    }
  }
  expect(count).toBeGreaterThan(100);
});
