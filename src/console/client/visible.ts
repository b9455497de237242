/**
 * Makes control characters harmless. Senders, peers' replies and bodies come from strangers, and an escape sequence
 * among them could rewrite the operator's screen.
 */
export class Visible {
  readonly #decoder = new TextDecoder();

  /** A character cut at the end of one chunk is completed by the next. */
  show(bytes: Uint8Array): Uint8Array {
    return Buffer.from(harmless(this.#decoder.decode(bytes, { stream: true })), 'utf8');
  }
}

// Tab and line feed stay; CR is dropped, as bodies end their lines with it.
const harmless = (text: string): string =>
  text
    .replaceAll('\r', '')
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
