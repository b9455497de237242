import type { Terminal } from '../console/index.ts';

/** What is gathered before it goes out. */
const CHUNK_CHARACTERS = 32_768;

/** Many lines, at the pace of who reads them: a million of them never stand in memory. */
export class SpoolLines {
  readonly #terminal: Pick<Terminal, 'write' | 'flush'>;
  #text = '';

  constructor(terminal: Pick<Terminal, 'write' | 'flush'>) {
    this.#terminal = terminal;
  }

  /** @returns a promise when the reader is behind */
  add(line: string): Promise<void> | undefined {
    this.#text += line;
    return this.#text.length < CHUNK_CHARACTERS ? undefined : this.#out();
  }

  async end(): Promise<void> {
    await this.#out();
    await this.#terminal.flush();
  }

  #out(): Promise<void> | undefined {
    const text = this.#text;
    this.#text = '';
    return text === '' ? undefined : this.#terminal.write(Buffer.from(text, 'utf8'));
  }
}

/** Bytes that people wrote: UTF-8 when they are that, else Latin-1. Nothing in it moves a terminal. */
export function readable(bytes: Uint8Array, keep = ''): string {
  const utf8 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const text = utf8.includes('\ufffd') ? Buffer.from(bytes).toString('latin1') : utf8;
  return harmless(text, keep);
}

/** Control characters as `\x1b`, but for those in `keep`. */
export function harmless(text: string, keep = ''): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) =>
    keep.includes(character) ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
