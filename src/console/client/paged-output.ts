import type { Pager, Terminal } from './terminal.ts';

/** Output that goes to the pager as soon as it turns out taller than the screen. */
export class PagedOutput {
  readonly #terminal: Terminal;
  #held: Uint8Array[] = [];
  #lines = 0;
  #pager: Pager | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#pager !== undefined) return this.#pager.write(bytes);
    this.#held.push(bytes);
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) this.#lines++;
    if (this.#lines < this.#terminal.rows) return undefined;
    this.#pager = this.#terminal.page();
    const held = this.#held;
    this.#held = [];
    return this.#pager.write(Buffer.concat(held));
  }

  /** Resolves when everything is on the screen and the pager is left. */
  async close(): Promise<void> {
    if (this.#pager !== undefined) await this.#pager.close();
    else await this.#terminal.write(Buffer.concat(this.#held));
  }
}
