import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { committedFiles, contentOf, roomOf, type Source, sourcesIn, TOP, target } from './tidy/files.ts';
import {
  BANNED_GLOBALS,
  BANNED_MEMBERS,
  EXEMPT,
  LONG_FILES,
  MOST_LINES,
  PACKAGES,
  PURE_NODE,
  ROOMS,
  SEEN_ONLY_BY,
  SEES_ONLY,
  WORLDS,
} from './tidy/house.ts';
import type { Import } from './tidy/imports.ts';

const src = sourcesIn('src');
const product = src.filter((file) => !file.isTest);
const everything = [...src, ...['test', 'scripts', 'bench'].flatMap(sourcesIn)];

/** One line for each thing that is wrong, as an editor can jump to it. */
const at = (file: Source, line: number, what: string): string => `${file.path}:${line}: ${what}`;

const eachImport = (
  files: readonly Source[],
  judge: (file: Source, one: Import, to: string) => string | undefined,
): string[] =>
  files.flatMap((file) =>
    file.imports.flatMap((one) => {
      const to = one.specifier === undefined ? undefined : target(file, one.specifier);
      const wrong = to === undefined ? undefined : judge(file, one, to);
      return wrong === undefined ? [] : [at(file, one.line, wrong)];
    }),
  );

/** The inside of the world that a path is in, if any. */
const worldOf = (path: string): string | undefined =>
  Object.keys(WORLDS).find((world) => path.startsWith(`src/${world}/`));

const isFree = (file: Source): boolean => worldOf(file.path) === 'world/node' || file.path in EXEMPT;

test('every file of src stands in a room of the plan', () => {
  expect(src.filter((file) => !ROOMS.includes(roomOf(file.path))).map((file) => file.path)).toEqual([]);
});

test('every import names a file that exists, with its ending', () => {
  const wrong = eachImport(everything, (_file, one, to) =>
    existsSync(join(TOP, to)) && /\.(ts|json)$/.test(to) ? undefined : `${one.specifier} is no file`,
  );
  expect(wrong).toEqual([]);
});

test('arrows between rooms point from later to earlier rooms', () => {
  const wrong = eachImport(src, (file, _one, to) => {
    const from = roomOf(file.path);
    const room = roomOf(to);
    if (room === from) return undefined;
    if (!to.startsWith('src/')) return file.isTest ? undefined : `${to} is not part of the product`;
    if (file.isTest && worldOf(to) !== undefined) return undefined;
    if (ROOMS.indexOf(room) >= ROOMS.indexOf(from)) return `${from} may not see ${room}, which stands after it`;
    if (SEES_ONLY[from]?.includes(room) === false) return `${from} may not see ${room}`;
    if (SEEN_ONLY_BY[room]?.includes(from) === false && !file.isTest)
      return `only ${SEEN_ONLY_BY[room].join(', ')} may see ${room}`;
    return undefined;
  });
  expect(wrong).toEqual([]);
});

test('a room is entered by its index.ts only, save by a benchmark and a fuzz target, which try what is inside', () => {
  const door = /^src\/(?:[^/]+\.ts|[^/]+\/index\.ts|modules\/[^/]+\/index\.ts)$/;
  const wrong = eachImport(everything, (file, _one, to) => {
    if (file.path.startsWith('bench/') || file.path.startsWith('test/fuzz/targets/')) return undefined;
    if (!to.startsWith('src/') || (file.path.startsWith('src/') && roomOf(to) === roomOf(file.path))) return undefined;
    if (worldOf(to) !== undefined || to.endsWith('.json')) return undefined;
    return door.test(to) ? undefined : `${to} is inside a room; enter by its index.ts`;
  });
  expect(wrong).toEqual([]);
});

test('one bundled module does not see another', () => {
  const moduleOf = (path: string): string | undefined => /^src\/modules\/([^/]+)\//.exec(path)?.[1];
  const wrong = eachImport(product, (file, _one, to) => {
    const [from, other] = [moduleOf(file.path), moduleOf(to)];
    return from !== undefined && other !== undefined && from !== other
      ? `module ${from} may not see module ${other}`
      : undefined;
  });
  expect(wrong).toEqual([]);
});

test('only the entry names the real world, and only tests the simulated one', () => {
  const wrong = eachImport(product, (file, _one, to) => {
    const world = worldOf(to);
    if (world === undefined || worldOf(file.path) === world || WORLDS[world]!.includes(roomOf(file.path)))
      return undefined;
    return `${world} is named only by ${['tests', ...WORLDS[world]!].join(', ')}`;
  });
  expect(wrong).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const files = new Map(everything.map((file) => [file.path, file]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      cycles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      return;
    }
    const file = files.get(path);
    if (file === undefined || done.has(path)) return;
    for (const one of file.imports) {
      const to = one.specifier === undefined ? undefined : target(file, one.specifier);
      if (to !== undefined) walk(to, [...way, path]);
    }
    done.add(path);
  };
  for (const path of files.keys()) walk(path, []);
  expect(cycles).toEqual([]);
});

test("packages and Node's modules are used only where the plan says so", () => {
  const wrong = product.flatMap((file) =>
    file.imports.flatMap((one) => {
      if (one.specifier === undefined)
        return isFree(file) ? [] : [at(file, one.line, 'imports a module whose name is computed')];
      if (one.specifier.startsWith('.')) return [];
      if (one.specifier.startsWith('node:')) {
        const pure = PURE_NODE[one.specifier];
        if (isFree(file) || pure === true) return [];
        const names = one.names.length === 0 ? ['as a whole'] : one.names.filter((name) => !pure?.includes(name));
        return names.map((name) => at(file, one.line, `${one.specifier} ${name} belongs to world/node`));
      }
      return PACKAGES[one.specifier]?.includes(roomOf(file.path))
        ? []
        : [at(file, one.line, `${one.specifier} is not for ${roomOf(file.path)}`)];
    }),
  );
  expect(wrong).toEqual([]);
});

test('time, chance and the machine are reached through the world only', () => {
  const wrong = product
    .filter((file) => !isFree(file))
    .flatMap((file) => {
      const own = declared(file);
      return file.tokens.flatMap((token, i) => {
        if (token.kind !== 'word') return [];
        const before = file.tokens[i - 1]?.text;
        const [dot, member] = [file.tokens[i + 1]?.text, file.tokens[i + 2]?.text];
        if (before === '.' || before === '?.') return [];
        if (dot === '.' && BANNED_MEMBERS.some(([of, name]) => of === token.text && name === member))
          return [at(file, token.line, `${token.text}.${member}`)];
        return BANNED_GLOBALS.has(token.text) && !own.has(token.text) && dot !== ':'
          ? [at(file, token.line, token.text)]
          : [];
      });
    });
  expect(wrong).toEqual([]);
});

/** Banned names that a file gives to something of its own: a parameter `process: Process`, a constant, an import. */
function declared(file: Source): ReadonlySet<string> {
  const own = new Set(file.imports.flatMap((one) => one.names));
  file.tokens.forEach((token, i) => {
    const before = file.tokens[i - 1]?.text ?? '';
    const after = file.tokens[i + 1]?.text;
    if (/^(const|let|function|class|interface|type|readonly)$/.test(before) || ('(,'.includes(before) && after === ':'))
      own.add(token.text);
  });
  return own;
}

test('no state lives at the top of a file', () => {
  const wrong = product.flatMap((file) =>
    file.tokens.flatMap((token) =>
      token.kind === 'word' && token.depth === 0 && /^(let|var)$/.test(token.text)
        ? [at(file, token.line, `top-level ${token.text}`)]
        : [],
    ),
  );
  expect(wrong).toEqual([]);
});

test('no test is skipped, and none is alone', () => {
  const wrong = everything.flatMap((file) =>
    file.tokens.flatMap((token, i) => {
      const [dot, how] = [file.tokens[i + 1]?.text, file.tokens[i + 2]?.text ?? ''];
      const marked = token.kind === 'word' && /^(test|it|describe)$/.test(token.text) && dot === '.';
      return marked && /^(only|skip|todo|fails)$/.test(how) ? [at(file, token.line, `${token.text}.${how}`)] : [];
    }),
  );
  expect(wrong).toEqual([]);
});

test('tests of the rooms advance the clock and never sleep', () => {
  const wrong = src
    .filter((file) => file.isTest && worldOf(file.path) !== 'world/node')
    .flatMap((file) => [
      ...file.imports.flatMap((one) =>
        one.specifier?.startsWith('node:timers') ? [at(file, one.line, one.specifier)] : [],
      ),
      ...file.tokens.flatMap((token) =>
        /^set(Timeout|Interval)$/.test(token.text) && token.kind === 'word' ? [at(file, token.line, token.text)] : [],
      ),
    ]);
  expect(wrong).toEqual([]);
});

test(`a file of more than ${MOST_LINES} lines has a reason, and a reason has such a file`, () => {
  const long = everything.filter((file) => file.lines > MOST_LINES).map((file) => file.path);
  expect(long.filter((path) => !(path in LONG_FILES))).toEqual([]);
  expect(Object.keys(LONG_FILES).filter((path) => !long.includes(path))).toEqual([]);
  expect(Object.keys(EXEMPT).filter((path) => !existsSync(join(TOP, path)))).toEqual([]);
});

test('the door of a room is one sentence and a list of exports', () => {
  const doors = src.filter((file) => file.path.endsWith('/index.ts'));
  const wrong = doors.filter((file) => {
    const sentence = /^\/\*\*\s[\s\S]*?\.\s\*\/\n|^(?:\/\/ [^\n]*\n)+/.exec(file.text)?.[0];
    const code = file.text.slice(sentence?.length ?? 0);
    return sentence === undefined || !/^(?:\s*export (?:type )?(?:\*|\{[^}]*\}) from '[^']+';)+\s*$/.test(code);
  });
  expect(wrong.map((file) => file.path)).toEqual([]);
  const rooms = new Set(product.filter((file) => file.path.split('/').length > 2).map((file) => roomOf(file.path)));
  expect(
    [...rooms].filter((room) => room !== 'modules' && !doors.some((door) => door.path === `src/${room}/index.ts`)),
  ).toEqual([]);
});

test('every error code is explained in docs/errors.md, and nothing else is', () => {
  const used = product.flatMap((file) =>
    file.tokens.flatMap((token) =>
      token.kind === 'string' && /^IMP_[A-Z0-9_]+$/.test(token.text) ? [token.text] : [],
    ),
  );
  const explained = [...contentOf('docs/errors.md').matchAll(/^#+ `(IMP_[A-Z0-9_]+)`/gm)].map((match) => match[1]);
  expect([...new Set(used)].sort()).toEqual(explained.sort());
});

test('every package is pinned, and explained in DEPENDENCIES.md with its version', () => {
  const manifests = committedFiles().filter((path) => /(^|\/)package\.json$/.test(path));
  const pinned = manifests.flatMap((path) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(contentOf(path)) as Record<
      string,
      Record<string, string>
    >;
    return Object.entries({ ...dependencies, ...devDependencies });
  });
  const explained = contentOf('DEPENDENCIES.md');
  expect(pinned.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  expect(pinned.filter(([name, version]) => !explained.includes(`| \`${name}\` | ${version} |`))).toEqual([]);
});

test('lock files name no registry, and no package runs a script when it is installed', () => {
  const locks = committedFiles().filter((path) => path.endsWith('package-lock.json'));
  expect(locks.length).toBeGreaterThan(1);
  expect(locks.filter((path) => /"(resolved|hasInstallScript)"/.test(contentOf(path)))).toEqual([]);
});

test('no committed file names a folder of one machine or the host of a registry', () => {
  // In pieces, so that this file does not find itself.
  const banned = new RegExp([`(?<![\\w.])/${'work'}/`, `registry\\.${'npmjs'}`, `registry\\.${'yarnpkg'}`].join('|'));
  const wrong = committedFiles().flatMap((path) =>
    contentOf(path)
      .split('\n')
      .flatMap((line, i) => (banned.test(line) ? [`${path}:${i + 1}`] : [])),
  );
  expect(wrong).toEqual([]);
});
