/**
 * Which single characters a part of a pattern takes. Asked of JavaScript's own engine once for each ASCII character, so
 * that what it says is what that engine does.
 */
export class CharacterSet {
  /** One for each ASCII character that is in the set. */
  readonly ascii: Uint8Array;
  /** False: surely nothing beyond ASCII is in it. */
  readonly beyond: boolean;
  readonly #regex: RegExp;

  /** @param source with the flag u, matches exactly one code point */
  constructor(source: string, ignoreCase: boolean) {
    const regex = new RegExp(`^(?:${source})$`, ignoreCase ? 'ui' : 'u');
    this.#regex = regex;
    const plain = onlyCharacter(source);
    if (plain === undefined) {
      this.ascii = Uint8Array.from({ length: 128 }, (_, code) => (regex.test(String.fromCharCode(code)) ? 1 : 0));
    } else {
      // Most of a pattern: not worth 128 questions.
      this.ascii = new Uint8Array(128);
      this.ascii[plain.charCodeAt(0)] = 1;
      if (ignoreCase) {
        this.ascii[plain.toLowerCase().charCodeAt(0)] = 1;
        this.ascii[plain.toUpperCase().charCodeAt(0)] = 1;
      }
    }
    // The long s and the Kelvin sign are an s and a k to who ignores case.
    const cased = ignoreCase && (this.ascii[0x73] === 1 || this.ascii[0x6b] === 1);
    this.beyond = cased || !(plain !== undefined || ASCII_CLASS.test(source));
  }

  has(code: number): boolean {
    if (code < 128) return this.ascii[code] === 1;
    return this.beyond && this.#regex.test(String.fromCodePoint(code));
  }
}

/** @returns the ASCII character that a source stands for, if it is nothing but that */
function onlyCharacter(source: string): string | undefined {
  if (/^[ -~]$/.test(source)) return source;
  const escaped = /^\\(?:u\{([0-7]?[0-9a-f])\}|([^a-zA-Z0-9]))$/.exec(source);
  return escaped?.[1] === undefined ? escaped?.[2] : String.fromCharCode(Number.parseInt(escaped[1], 16));
}

/** A class, or an escape, that surely holds nothing beyond ASCII. */
const ASCII_CLASS =
  /^(?:\\[dwtnrfv]|\[(?!\^)(?:[!-Z_-~ ]|\\(?:[dwtnrfv]|u\{[0-7]?[0-9a-f]\}|x[0-7][0-9a-f]|[^a-zA-Z0-9]))*\])$/;

/** Sets by source: a pattern says the same class again and again. */
export class CharacterSets {
  readonly #ignoreCase: boolean;
  readonly #sets = new Map<string, CharacterSet>();

  constructor(ignoreCase: boolean) {
    this.#ignoreCase = ignoreCase;
  }

  get(source: string): CharacterSet {
    let set = this.#sets.get(source);
    if (!set) this.#sets.set(source, (set = new CharacterSet(source, this.#ignoreCase)));
    return set;
  }
}
