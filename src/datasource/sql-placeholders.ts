import { ValueError } from '../config/index.ts';
import type { Parameters } from './ldap-url.ts';

export type SqlKind = 'sqlite' | 'pgsql' | 'mysql';

/** A piece of SQL: text as it is, or the place of a parameter. */
export type SqlPiece = { readonly text: string } | { readonly name: string };

/**
 * Finds the parameters of a statement: `:name`, `$name`, and `?` for the first, second … outside of PostgreSQL, where it
 * is an operator. Texts, quoted names, comments and casts are passed over.
 */
export function readSql(kind: SqlKind, sql: string): readonly SqlPiece[] {
  const pieces: SqlPiece[] = [];
  const token = tokens(kind);
  let from = 0;
  let marks = 0;
  for (const match of sql.matchAll(token)) {
    const { name, mark } = match.groups ?? {};
    if (name === undefined && mark === undefined) continue;
    if (mark !== undefined) marks++;
    pieces.push({ text: sql.slice(from, match.index) }, { name: name ?? `${marks}` });
    from = match.index + match[0].length;
  }
  pieces.push({ text: sql.slice(from) });
  return pieces;
}

/** What is passed over comes first, so that a mark inside of it is never seen. */
function tokens(kind: SqlKind): RegExp {
  const backslash = kind === 'mysql' ? '\\\\[^]|' : '';
  const over = [
    // E'…' of PostgreSQL knows the backslash.
    ...(kind === 'pgsql'
      ? ["\\b[eE]'(?:\\\\[^]|''|[^'\\\\])*(?:'|$)", '\\$([A-Za-z_]\\w*)?\\$[^]*?(?:\\$\\1\\$|$)']
      : []),
    `'(?:${backslash}''|[^'${kind === 'mysql' ? '\\\\' : ''}])*(?:'|$)`,
    `"(?:${backslash}""|[^"${kind === 'mysql' ? '\\\\' : ''}])*(?:"|$)`,
    ...(kind === 'pgsql' ? [] : ['`(?:``|[^`])*(?:`|$)']),
    '--[^\\n]*',
    ...(kind === 'mysql' ? ['#[^\\n]*'] : []),
    '/\\*[^]*?(?:\\*/|$)',
    '::',
    ':=',
    // A dollar or colon inside of a name is part of it.
    '[A-Za-z_0-9][\\w$]*',
  ];
  const mark = kind === 'pgsql' ? '' : '|(?<mark>\\?)';
  return new RegExp(`${over.join('|')}|[:$](?<name>[A-Za-z_]\\w*|[1-9]\\d{0,2}\\b)${mark}`, 'g');
}

export const sqlNames = (kind: SqlKind, sql: string): readonly string[] =>
  readSql(kind, sql).flatMap((piece) => ('name' in piece ? [piece.name] : []));

/** @throws ValueError when there is no such parameter */
export function bindSql(
  kind: SqlKind,
  sql: string,
  parameters: Parameters,
): { readonly kind: 'sql'; readonly text: string; readonly values: readonly (string | null)[] } {
  const values: (string | null)[] = [];
  let text = '';
  for (const piece of readSql(kind, sql)) {
    if ('text' in piece) {
      text += piece.text;
      continue;
    }
    const value = parameters.get(piece.name);
    if (value === undefined) {
      // `[1:2]` and the like: a number is a parameter only where there is one.
      if (/^\d/.test(piece.name)) {
        text += `:${piece.name}`;
        continue;
      }
      throw new ValueError(`there is no parameter ${piece.name}`);
    }
    values.push(value);
    // One for each place, so that the server infers the type of each from what stands around it.
    text += kind === 'pgsql' ? `$${values.length}` : '?';
  }
  return { kind: 'sql', text, values };
}
