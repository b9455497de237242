import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Import, importsOf } from './imports.ts';
import { type Token, tokens } from './tokens.ts';

/** A TypeScript file, read once. */
export interface Source {
  /** From the top of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly tokens: readonly Token[];
  readonly imports: readonly Import[];
  readonly isTest: boolean;
}

export const TOP: string = join(import.meta.dirname, '../..');

export const contentOf = (path: string): string => readFileSync(join(TOP, path), 'utf8');

/** The TypeScript files under a folder. */
export function sourcesIn(folder: string): readonly Source[] {
  if (!existsSync(join(TOP, folder))) return [];
  return readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => sourceOf(`${folder}/${name}`));
}

/** @param text what stands in it, when that is not to be read */
export function sourceOf(path: string, text = contentOf(path)): Source {
  const all = tokens(text);
  return {
    path,
    text,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    tokens: all,
    imports: importsOf(all),
    isTest: path.endsWith('.test.ts') || !path.startsWith('src/'),
  };
}

/** What a relative specifier in a file points at, from the top of the repository; `undefined` for a package. */
export function target(from: Source, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(dirname(from.path), specifier) : undefined;
}

/** The room of a file under src/; a file at its top is a room of its own. */
export const roomOf = (path: string): string => /^src\/([^/]+?)(?:\.test)?(?:\.ts)?(?:\/|$)/.exec(path)?.[1] ?? '';

/** All that is or would be committed, or all files when this is not a work tree of git. */
export function committedFiles(): readonly string[] {
  try {
    const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: TOP,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return list
      .split('\0')
      .filter((path) => path !== '' && statSync(join(TOP, path), { throwIfNoEntry: false })?.isFile());
  } catch {
    return ['bench', 'bin', 'docs', 'etc', 'scripts', 'src', 'test'].flatMap((folder) =>
      readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(TOP.length + 1)),
    );
  }
}
