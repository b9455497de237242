/**
 * One word, sign, string or template of a TypeScript source, without comments and blanks. `text` of a string is what
 * stands between its quotes; of a template without holes likewise; a template with holes is `template` and empty, and
 * the code in its holes follows as tokens of its own.
 */
export interface Token {
  readonly kind: 'word' | 'sign' | 'string' | 'template' | 'regex' | 'number';
  readonly text: string;
  readonly line: number;
  /** Brackets that are open around it: 0 is the top level of the file. */
  readonly depth: number;
}

const BLANK = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$]*/uy;
const NUMBER = /\.?\d(?:[\w.]|(?<=[eE])[+-])*/y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const SIGN = /=>|\?\.(?!\d)|\.\.\.|[\s\S]/y;

/** After these words a slash begins a regular expression and does not divide. */
const BEFORE_VALUE = new Set(
  'return typeof case in of instanceof new delete void throw await yield else do'.split(' '),
);

/** Splits a source as far as the checks of the house need it. Never fails: what it does not know is a sign. */
export function tokens(source: string): readonly Token[] {
  const found: Token[] = [];
  /** What each open bracket is: of a template's hole we must know that its end is not a brace of the code. */
  const open: string[] = [];
  let at = 0;
  let line = 1;

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text === undefined || text === '') return undefined;
    at += text.length;
    return text;
  };
  const add = (kind: Token['kind'], text: string, raw: string): void => {
    found.push({ kind, text, line, depth: open.length });
    for (let i = raw.indexOf('\n'); i !== -1; i = raw.indexOf('\n', i + 1)) line++;
  };
  const templateFrom = (start: number): void => {
    match(TEMPLATE_TEXT);
    const whole = source[at] === '`';
    const text = source.slice(start, at);
    if (whole && source[start - 1] === '`') add('string', text, text);
    else add('template', '', text);
    if (whole) at += 1;
    else if (source.startsWith('${', at)) {
      at += 2;
      open.push('${');
    } else at = source.length;
  };

  while (at < source.length) {
    const from = at;
    const blank = match(BLANK);
    if (blank !== undefined) {
      for (let i = blank.indexOf('\n'); i !== -1; i = blank.indexOf('\n', i + 1)) line++;
      continue;
    }
    const next = source[at];
    if (next === "'" || next === '"') {
      const text = match(STRING);
      if (text !== undefined) {
        add('string', text.slice(1, -1), text);
        continue;
      }
    } else if (next === '`') {
      at += 1;
      templateFrom(at);
      continue;
    } else if (next === '}' && open.at(-1) === '${') {
      open.pop();
      at += 1;
      templateFrom(at);
      continue;
    } else if (next === '/' && valueMayBegin(found.at(-1))) {
      const text = match(REGEX);
      if (text !== undefined) {
        add('regex', text, text);
        continue;
      }
    }
    const number = match(NUMBER);
    if (number !== undefined) {
      add('number', number, number);
      continue;
    }
    const word = match(WORD);
    if (word !== undefined) {
      add('word', word, word);
      continue;
    }
    const sign = match(SIGN) ?? source[from]!;
    if (sign === ')' || sign === ']' || sign === '}') open.pop();
    add('sign', sign, sign);
    if (sign === '(' || sign === '[' || sign === '{') open.push(sign);
  }
  return found;
}

function valueMayBegin(last: Token | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === 'word') return BEFORE_VALUE.has(last.text);
  return last.kind === 'sign' && last.text !== ')' && last.text !== ']' && last.text !== '}';
}
