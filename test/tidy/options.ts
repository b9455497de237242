import { type Source, target } from './files.ts';
import type { Token } from './tokens.ts';

/** `export const NAME = option('option_name', …)` at the top of a file. */
export interface Declaration {
  readonly path: string;
  readonly constant: string;
  readonly option: string;
}

/** Options that files declare, as they stand in the code. */
export function declarationsIn(files: readonly Source[]): readonly Declaration[] {
  return files.flatMap(({ path, tokens }) =>
    tokens.flatMap(({ kind, text, depth }, i) => {
      if (kind !== 'word' || text !== 'const' || depth !== 0) return [];
      // Behind a type or without one, and with type arguments or without: the first call in the statement.
      let at = i + 1;
      while (tokens[at] && tokens[at]?.text !== '(' && tokens[at]?.text !== ';') at++;
      const called = tokens
        .slice(i + 2, at)
        .some((token) => /^(?:own)?option$/i.test(token.text) && token.kind === 'word');
      const name = tokens[at + 1];
      if (!called || name?.kind !== 'string') return [];
      return [{ path, constant: tokens[i + 1]?.text ?? '', option: name.text }];
    }),
  );
}

/** Those that no file hands to anybody: they are only listed among the options of their room. */
export function unread(files: readonly Source[]): readonly Declaration[] {
  return declarationsIn(files).filter((declaration) => !files.some((file) => reads(file, declaration)));
}

function reads(file: Source, { path, constant }: Declaration): boolean {
  const { tokens } = file;
  const names = namesOf(file, path, constant);
  return tokens.some((token, i) => {
    const [before, after] = [tokens[i - 1]?.text ?? '', tokens[i + 1]?.text ?? ''];
    if (token.kind !== 'word' || !LEADS_TO_VALUE.test(before) || !FOLLOWS_VALUE.test(after)) {
      // `options.NAME`, where the file of the declaration is imported as a whole.
      return token.kind === 'word' && before === '.' && names.has(`${tokens[i - 2]?.text}.${token.text}`);
    }
    return names.has(token.text) && !isMadeKnown(tokens, i);
  });
}

/** How a file calls a constant of another, or of its own. */
function namesOf(file: Source, path: string, constant: string): ReadonlySet<string> {
  if (file.path === path) return new Set([constant]);
  const names = new Set<string>();
  const door = path.replace(/^(src\/[^/]+)\/.*/, '$1/index.ts');
  const { tokens } = file;
  for (const { specifier, names: taken } of file.imports) {
    const to = specifier === undefined ? undefined : target(file, specifier);
    if (to !== path && to !== door) continue;
    if (taken.includes(constant)) names.add(constant);
    for (const [i, token] of tokens.entries()) {
      if (token.text !== 'as') continue;
      if (tokens[i - 1]?.text === constant && taken.includes(constant)) names.add(tokens[i + 1]?.text ?? '');
      if (tokens[i - 1]?.text === '*' && tokens[i + 3]?.text === specifier)
        names.add(`${tokens[i + 1]?.text}.${constant}`);
    }
  }
  return names;
}

/** In a list like `queueOptions`, which only makes options known, or between the braces of an import or export. */
function isMadeKnown(tokens: readonly Token[], at: number): boolean {
  if (tokens[at]?.depth !== 1) return false;
  const open = tokens.findLastIndex((token, i) => i < at && token.depth === 0);
  if (tokens[open]?.text === '{') return /^(?:import|export|type)$/.test(tokens[open - 1]?.text ?? '');
  const constant = tokens.findLastIndex((token, i) => i < open && token.text === 'const' && token.depth === 0);
  return tokens[open]?.text === '[' && /options$/i.test(tokens[constant + 1]?.text ?? '');
}

const LEADS_TO_VALUE = /^(?:[(,[:?]|=>)$/;
const FOLLOWS_VALUE = /^[),\];}.:?]$/;
