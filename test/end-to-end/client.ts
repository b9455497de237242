import { createConnection, type Socket } from 'node:net';

/** A plain SMTP client that shares no code with the server: what it sees is what a peer sees. */
export class Client implements AsyncDisposable {
  readonly #socket: Socket;
  #held = '';
  #waiting: ((reply: string) => void) | undefined;
  #failed: ((why: Error) => void) | undefined;
  #over: Error | undefined;

  private constructor(port: number) {
    this.#socket = createConnection(port, '127.0.0.1').setNoDelay(true);
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.#held += text;
      this.#offer();
    });
    this.#socket.on('error', (why) => this.#end(why)).on('close', () => this.#end(new Error('the server hung up')));
  }

  /** Connects, reads the greeting and says EHLO. */
  static async connect(port: number): Promise<Client> {
    const client = new Client(port);
    const greeting = await client.reply();
    if (!greeting.startsWith('220')) throw new Error(greeting);
    await client.says('EHLO client.test');
    return client;
  }

  /** Sends a command, or any bytes with their CRLF. @returns the reply, lines joined by LF */
  says(text: string): Promise<string> {
    this.write(`${text}\r\n`);
    return this.reply();
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#failed = reject;
      this.#offer();
      if (this.#over !== undefined) reject(this.#over);
    });
  }

  /** A whole transaction. @returns the reply that ended it: of the refused command, or to the dot */
  async transaction(from: string, to: readonly string[], text: string): Promise<string> {
    for (const command of [`MAIL FROM:<${from}>`, ...to.map((path) => `RCPT TO:<${path}>`)]) {
      const said = await this.says(command);
      if (!said.startsWith('2')) return said;
    }
    const go = await this.says('DATA');
    if (!go.startsWith('354')) return go;
    return this.says(`${text.replace(/^\./gm, '..')}\r\n.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.once('close', () => resolve()).destroy();
    });
  }

  #offer(): void {
    const end = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#held);
    if (end === null || this.#waiting === undefined) return;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    this.#failed = undefined;
    this.#held = this.#held.slice(end[0].length);
    resolve(end[0].trimEnd().replaceAll('\r\n', '\n'));
  }

  #end(why: Error): void {
    this.#over ??= why;
    this.#failed?.(why);
  }
}

/** A message with the header fields that RFC 5322 wants. */
export function letter(subject: string, body = 'hello'): string {
  return [
    'Date: Tue, 03 Mar 2026 10:00:00 +0000',
    'From: <sender@origin.test>',
    'To: <somebody@dest.test>',
    `Subject: ${subject}`,
    '',
    body,
  ].join('\r\n');
}

/** Sends one message on a connection of its own. @returns the id of the batch */
export async function send(port: number, from: string, to: readonly string[], text = letter('test')): Promise<string> {
  await using client = await Client.connect(port);
  const said = await client.transaction(from, to, text);
  const id = /[0-9A-F]{2}\/[0-9A-F]{2}-\d{5}-[0-9A-F]{8}/.exec(said)?.[0];
  if (!said.startsWith('250') || id === undefined) throw new Error(`not accepted: ${said}`);
  await client.says('QUIT');
  return id;
}
