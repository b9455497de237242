import type { Token } from './tokens.ts';

/** One place where a file names another module, by whatever syntax. */
export interface Import {
  /** `undefined`: computed when the program runs, so that nobody can say what it is. */
  readonly specifier: string | undefined;
  /** The names taken; empty for a namespace, for all, and for a dynamic import. */
  readonly names: readonly string[];
  readonly line: number;
}

/** All imports and re-exports of a file: static, type-only, dynamic, `import('…').Type` and `require`. */
export function importsOf(tokens: readonly Token[]): readonly Import[] {
  const found: Import[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== 'word' || tokens[i - 1]?.text === '.') continue;
    const next = tokens[i + 1];
    if ((token.text === 'import' || token.text === 'require') && next?.text === '(' && next.kind === 'sign') {
      const known = tokens[i + 2]?.kind === 'string' && /^[,)]$/.test(tokens[i + 3]?.text ?? '');
      found.push({ specifier: known ? tokens[i + 2]!.text : undefined, names: [], line: token.line });
    } else if ((token.text === 'import' || token.text === 'export') && token.depth === 0) {
      const statement = fromClause(tokens, i + 1);
      if (statement !== undefined) found.push({ ...statement, line: token.line });
    }
  }
  return found;
}

/** Reads `type? names from 'module'` or `'module'`, from behind the word import or export. */
function fromClause(tokens: readonly Token[], start: number): Omit<Import, 'line'> | undefined {
  const names: string[] = [];
  for (let i = start; i < tokens.length; i++) {
    const { kind, text } = tokens[i]!;
    if (kind === 'string')
      return i === start || tokens[i - 1]!.text === 'from' ? { specifier: text, names } : undefined;
    if (kind === 'word') {
      if (!['type', 'from', 'as'].includes(text) && tokens[i - 1]!.text !== 'as') names.push(text);
    } else if (kind !== 'sign' || !'{},*'.includes(text)) return undefined;
    // `export { a, b }` without from, and `export const x`: the next statement begins.
    if (kind === 'word' && /^(const|let|function|class|interface|async|abstract|declare|default)$/.test(text))
      return undefined;
    if (text === '}' && tokens[i + 1]?.text !== 'from') return undefined;
  }
  return undefined;
}
