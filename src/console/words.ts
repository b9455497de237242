/** One word of a command line. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
  /** Where it begins and ends in the line, quotes included. */
  readonly from: number;
  readonly to: number;
}

export interface Words {
  readonly words: readonly Word[];
  /** A quote was opened and never closed; the last word is then what stood behind it. */
  readonly open: boolean;
}

/** Splits at blanks; `"…"` groups, and inside it `\"` is a quote and `\\` a backslash. */
export function splitWords(line: string): Words {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line[at])) at++;
    if (at >= line.length) return { words, open: false };
    const from = at;
    let text = '';
    let quoted = false;
    let inside = false;
    for (; at < line.length; at++) {
      const letter = line[at] ?? '';
      if (letter === '"') {
        inside = !inside;
        quoted = true;
      } else if (inside && letter === '\\' && (line[at + 1] === '"' || line[at + 1] === '\\')) {
        at++;
        text += line[at] ?? '';
      } else if (!inside && isBlank(letter)) {
        break;
      } else {
        text += letter;
      }
    }
    words.push({ text, quoted, from, to: at });
    if (inside) return { words, open: true };
  }
}

const isBlank = (letter: string | undefined): boolean => letter === ' ' || letter === '\t';
