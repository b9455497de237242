import type { Violations } from '../violations.ts';

/** The letters of the mainlog, and in which order they may come for one message. */
export type Letter = 'R' | 'D' | 'T' | 'P';

const LINE = /^[0-9.]+@([^@]+)@[^@]*@[^@]*@([RDTP])@/;

/**
 * The mainlog of a server that never died says what its events said, line by line, and of each message R before anything
 * else and nothing after D or P.
 */
export class LogFile {
  readonly #expected: string[] = [];

  /** What an event says, as far as it is compared. */
  add(letter: Letter, messageId: string): void {
    this.#expected.push(`${messageId} ${letter}`);
  }

  /** @param text the whole mainlog */
  judge(text: string, violations: Violations): void {
    const lines = text.split('\n').flatMap((line) => {
      const found = LINE.exec(line);
      return found === null ? [] : [`${found[1]} ${found[2]}`];
    });
    const wrong = this.#expected.findIndex((line, index) => lines[index] !== line);
    if (wrong !== -1 || lines.length !== this.#expected.length) {
      const at = wrong === -1 ? this.#expected.length : wrong;
      violations.report('mainlog', `line ${at + 1} is ${lines[at]}, not ${this.#expected[at]}`);
    }
    const state = new Map<string, string>();
    for (const line of lines) {
      const [id = '', letter = ''] = line.split(' ');
      const before = state.get(id);
      const good = letter === 'R' ? before === undefined : before === 'R' || before === 'T';
      if (!good) violations.report('mainlog', `${letter} of ${id} comes behind ${before ?? 'nothing'}`);
      state.set(id, letter);
    }
  }
}
