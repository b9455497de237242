/** A word of an expression. */
export type Token =
  | { readonly kind: 'name' | 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'sign'; readonly text: string };

const WORD =
  /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(==|!=|~=|<=|>=|[-+*/<>#()[\].,]))/sy;

/** @returns what cannot be read when there is such a thing */
export function tokensOf(code: string): readonly Token[] | string {
  const tokens: Token[] = [];
  const end = code.trimEnd().length;
  WORD.lastIndex = 0;
  while (WORD.lastIndex < end) {
    const from = WORD.lastIndex;
    const found = WORD.exec(code);
    if (found === null) return code.slice(from).trim().slice(0, 20);
    const [, name, number, text, sign] = found;
    if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) });
    else if (text !== undefined) tokens.push({ kind: 'text', text: unquoted(text) });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign === '~=' ? '!=' : sign });
  }
  return tokens;
}

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/gs, (_, sign: string) => ESCAPES[sign] ?? sign);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
