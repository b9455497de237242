import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAIN } from '../../../test/support/configuration.ts';
import { simWorld } from '../../world/sim/index.ts';
import { configCommand, configSession, integer, loadConfiguration, option } from '../index.ts';
import { differences } from './edits.ts';

/** What may stand in which kind of scope; `files` are those that may be included there. */
const SCOPES = {
  global: {
    options: ['Message_Expiration', 'Max_Outbound_Connections', 'Relay_Hosts'],
    stanzas: ['domain', 'binding', 'group', 'listener'],
    files: ['one.inc', 'two.inc', 'local.inc'],
  },
  domain: { options: ['Message_Expiration', 'Gateway'], stanzas: [], files: ['domain.inc'] },
  binding: { options: ['Message_Expiration'], stanzas: ['domain'], files: [] },
  group: { options: ['Message_Expiration'], stanzas: ['domain', 'binding'], files: ['group.inc'] },
  listener: { options: ['Context', 'Idle_Time'], stanzas: [], files: [] },
} as const;
type Scope = keyof typeof SCOPES;

const FILES: Readonly<Record<string, Scope>> = {
  'one.inc': 'global',
  'two.inc': 'global',
  'local.inc': 'global',
  'domain.inc': 'domain',
  'group.inc': 'group',
};

const HEADS: Readonly<Record<Exclude<Scope, 'global'>, readonly string[]>> = {
  domain: ['Domain "a.test"', 'domain B.test', 'Domain "/^x/"', 'Domain "/y[.]/"', "Domain '/z/'"],
  binding: ['Binding "r1"', 'binding r2'],
  group: ['Binding_Group "g"', 'binding_group h'],
  listener: ['ESMTP_Listener', 'esmtp_listener ='],
};

const number = fc.integer({ min: 0, max: 9 });
const valueFor = (name: string): fc.Arbitrary<string> =>
  name === 'Relay_Hosts'
    ? fc.constantFrom('( )', '( 10.0.0.1 )', '(10.0.0.0/8,\n   "::1")')
    : name === 'Context'
      ? fc.constantFrom('[ ]', '[ a = 1 B = "x # y" ]', '[a=(1 2),b=c]')
      : name === 'Gateway'
        ? fc.constantFrom('g1', '"g } 2"', "'g#3'", '"ä\\"€"')
        : number.map(String);

const assignmentIn = (scope: Scope): fc.Arbitrary<string> =>
  fc
    .constantFrom(...SCOPES[scope].options)
    .chain((name) =>
      fc
        .tuple(valueFor(name), fc.constantFrom(' = ', '=', ' =\n  '))
        .map(([value, equals]) => `${name}${/^[[(]/.test(value) && equals === '=' ? '' : equals}${value}`),
    );

/** `%` stands for a comment, numbered later so that each is known. */
const gap = fc.constantFrom('\n', '\n', '\n  ', ' ', '\n\t', ' #%\n', ' /* % */ ', '\n#%\n', '\n# %\n  ');

function itemsIn(scope: Scope, depth: number, below: number): fc.Arbitrary<string> {
  const { options, stanzas, files } = SCOPES[scope];
  const kinds: fc.Arbitrary<string>[] = options.length > 0 ? [assignmentIn(scope), assignmentIn(scope)] : [];
  if (stanzas.length > 0 && depth < 3)
    kinds.push(
      fc
        .constantFrom(...stanzas)
        .chain((inner) =>
          fc
            .tuple(fc.constantFrom(...HEADS[inner]), gap, itemsIn(inner, depth + 1, below))
            .map(([head, open, text]) => `${head} {${open}${text}}`),
        ),
    );
  // A file includes only what stands behind it in the list, so that there is no circle.
  const others = files.filter((name) => name !== 'local.inc' && Object.keys(FILES).indexOf(name) > below);
  if (others.length > 0)
    kinds.push(
      fc
        .tuple(fc.constantFrom('include', 'include', 'readonly_include'), fc.constantFrom(...others))
        .map(([word, name]) => `${word} "${name}"`),
    );
  return fc
    .array(fc.tuple(fc.oneof(...kinds), gap), { maxLength: depth === 0 ? 6 : 3 })
    .map((items) => items.map(([item, behind]) => item + behind).join(''));
}

const layout = fc
  .tuple(
    itemsIn('global', 0, -1),
    fc.record(
      Object.fromEntries(
        Object.entries(FILES).map(([name, scope], index) => [name, fc.tuple(itemsIn(scope, 1, index), fc.boolean())]),
      ),
    ),
    fc.constantFrom(
      '',
      '',
      'Local_Changes_File = local.inc\n',
      'Local_Changes_File = new.inc\n',
      'Local_Changes_File = new.inc Local_Changes_Only = true\n',
    ),
    fc.boolean(),
    fc.nat({ max: 9 }),
  )
  .map(([main, files, local, crlf, closed]) => {
    let comments = 0;
    const named = (text: string): string =>
      text
        .replaceAll('%', () => `comment ${++comments}.`)
        .replace(/\n/g, crlf ? '\r\n' : '\n')
        .replace(/[ \t\r\n]+$/, closed > 4 ? '' : '$&');
    return [
      [MAIN, named(local + main), closed === 0 ? 0o440 : 0o640] as const,
      ...Object.entries(files).map(
        ([name, [text, open]]) =>
          [`/etc/impetus/${name}`, named(text), open || name === 'local.inc' ? 0o640 : 0o440] as const,
      ),
    ];
  });

const PATHS: readonly (readonly [string, Scope])[] = [
  ['', 'global'],
  ['domain a.test', 'domain'],
  ['domain b.test', 'domain'],
  ['domain "/^x/"', 'domain'],
  ['domain "/z/"', 'domain'],
  ['domain "/new/"', 'domain'],
  ['binding r1', 'binding'],
  ['binding r1 domain a.test', 'domain'],
  ['binding_group g', 'group'],
  ['binding_group g binding r3', 'binding'],
  ['binding_group g domain "/y[.]/"', 'domain'],
  ['esmtp_listener', 'listener'],
];

const command = fc
  .constantFrom(...PATHS)
  .chain(([path, scope]) =>
    fc.oneof(
      { weight: 4, arbitrary: assignmentIn(scope).map((text) => `set ${path} ${text.replace(/\s+/g, ' ')}`) },
      { weight: 2, arbitrary: fc.constantFrom(...SCOPES[scope].options).map((name) => `unset ${path} ${name}`) },
      { weight: 1, arbitrary: fc.constant(`unset ${path}`) },
    ),
  );

const commands = fc
  .tuple(fc.array(command, { minLength: 1, maxLength: 8 }), fc.nat({ max: 9 }))
  .map(([list, scratch]) => (scratch === 0 ? ['begin from scratch', ...list, 'commit'] : list));

const declared = [option('max_outbound_connections', integer)];

test('after a writeback a reload gives what was live, whatever the files and the changes; comments stay', async () => {
  const seen = { saved: 0, partly: 0, several: 0 };
  await fc.assert(
    fc.asyncProperty(layout, commands, fc.nat({ max: 20 }), async (files, list, edited) => {
      const { disk, clock } = simWorld();
      for (const [path, text, mode] of files) disk.put(path, text, mode);
      const textOf = (path: string): string => Buffer.from(disk.text(path) ?? '', 'latin1').toString('utf8');
      const load = { disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] };
      const configuration = await loadConfiguration(load);
      const session = configSession();
      const run = (words: string): ReturnType<typeof configCommand> => configCommand(configuration, session, words);
      for (const each of list) await run(each);
      const live = configuration.current.tree;

      // Sometimes an editor is at work meanwhile.
      const touched = files[edited];
      if (touched) disk.put(touched[0], `${touched[1]}\n# edited\n`, touched[2]);
      const before = new Map(files.map(([path]) => [path, textOf(path)]));
      const { ok, lines } = await run('writeback');
      if (touched) expect(textOf(touched[0])).toBe(before.get(touched[0]));
      const written = lines.flatMap((line) => /^(\/\S+): /.exec(line)?.[1] ?? []);
      for (const [path, text] of before) if (!written.includes(path)) expect(textOf(path)).toBe(text);
      const removes = list.some((each) => /^begin|^unset(?: [a-z_]+ \S+)*$|^unset esmtp_listener$/.test(each));
      if (!removes)
        for (const [path, text] of before)
          for (const [comment] of text.matchAll(/comment \d+\./g)) expect(textOf(path)).toContain(comment);

      const after = new Map(disk.files().map((path) => [path, disk.text(path)]));
      const again = await run('writeback');
      expect(again.ok).toBe(ok);
      expect(new Map(disk.files().map((path) => [path, disk.text(path)]))).toEqual(after);
      expect(again.lines.filter((line) => /^\/\S+: /.test(line))).toEqual([]);

      const fresh = await loadConfiguration(load);
      if (ok) expect(differences(fresh.current.tree, live)).toEqual([]);
      else expect(differences(fresh.current.tree, live)).not.toEqual([]);
      if (ok && written.length > 0) seen.saved++;
      if (!ok) seen.partly++;
      if (written.length > 1) seen.several++;
    }),
    { numRuns: 300 },
  );
  expect(Math.min(seen.saved, seen.partly, seen.several)).toBeGreaterThan(10);
});
