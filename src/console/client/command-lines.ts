/** A backslash at the end joins the next line; blanks around a line do not count, blank and `#` lines are nothing. */
export class CommandLines {
  #begun = '';

  /** @returns the command that this line completes, or undefined when it is none, or not yet */
  add(line: string): string | undefined {
    const text = line.trim();
    if (this.#begun === '' && text.startsWith('#')) return undefined;
    if (text.endsWith('\\')) {
      this.#begun += `${text.slice(0, -1).trimEnd()} `;
      return undefined;
    }
    const whole = `${this.#begun}${text}`.trim();
    this.#begun = '';
    return whole === '' ? undefined : whole;
  }

  /** What is left when the input ends behind a backslash. */
  end(): string | undefined {
    return this.add('');
  }

  /** Another line is needed. */
  get open(): boolean {
    return this.#begun !== '';
  }
}

/** Lines of a stream of bytes, cut at LF; a CR before it is a blank. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

/**
 * The command line of a shell's arguments. One argument is a line as it stands; of several those with blanks or quotes
 * are quoted again, except behind `config`, whose values have the syntax of the file.
 */
export function joinArguments(words: readonly string[]): string {
  if (words.length === 1 || words[0] === 'config') return words.join(' ');
  return words
    .map((word) => (/[\s"]/.test(word) || word === '' ? `"${word.replaceAll(/["\\]/g, '\\$&')}"` : word))
    .join(' ');
}
