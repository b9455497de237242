import { createConnection, type Socket } from 'node:net';
import type { Chance } from './chance.ts';
import { type Letter, letter } from './letters.ts';

export interface Load {
  readonly port: number;
  readonly round: number;
  readonly sessions: number;
  /** Milliseconds that a session rests after each message, on average. */
  readonly rest: number;
  readonly chance: Chance;
  begun(letter: Letter): void;
  /** The 250 to its dot was read. */
  acknowledged(letter: Letter): void;
}

/** How often a sender hangs up between dot and reply, and connects again. */
const VANISHES = 0.01;

/**
 * Senders that go on until the server is gone or `stop` is called.
 *
 * @returns messages that were begun, when all have ended
 */
export function startLoad(load: Load): { readonly ended: Promise<number>; stop(): void } {
  const state = { begun: 0, stopped: false };
  const sessions = Array.from({ length: load.sessions }, () => sessionsUntilRefused(load, state));
  return {
    ended: Promise.all(sessions).then(() => state.begun),
    stop: () => {
      state.stopped = true;
    },
  };
}

interface State {
  begun: number;
  stopped: boolean;
}

async function sessionsUntilRefused(load: Load, state: State): Promise<void> {
  while (!state.stopped) {
    const session = new Session(load.port);
    try {
      await session.reply();
      await session.says('EHLO client.test');
      if (!(await send(session, load, state))) return;
    } catch {
      // Killed in the middle, which is what this is about.
      return;
    } finally {
      session.close();
    }
  }
}

/** @returns true when the sender has hung up by itself, and may connect again */
async function send(session: Session, load: Load, state: State): Promise<boolean> {
  const { chance } = load;
  while (!state.stopped) {
    const message = letter(load.round, state.begun++, chance);
    load.begun(message);
    const pipelined = chance.next() < 0.5;
    const commands = [
      `MAIL FROM:<${message.reversePath}>`,
      ...message.recipients.map((path) => `RCPT TO:<${path}>`),
      'DATA',
    ];
    if (pipelined) session.write(`${commands.join('\r\n')}\r\n`);
    for (const command of commands) {
      const said = pipelined ? await session.reply() : await session.says(command);
      if (!/^[23]/.test(said)) throw new Error(`refused: ${said}`);
    }
    session.write(`${message.text.replace(/^\./gm, '..')}.\r\n`);
    if (chance.next() < VANISHES) return true;
    const said = await session.reply();
    if (said.startsWith('250')) load.acknowledged(message);
    if (load.rest > 0) await new Promise((resolve) => setTimeout(resolve, chance.next() * 2 * load.rest));
  }
  return false;
}

/** A plain SMTP client that shares no code with the server. */
class Session {
  readonly #socket: Socket;
  #held = '';
  #over: Error | undefined;
  #waiting: { resolve(reply: string): void; reject(why: Error): void } | undefined;

  constructor(port: number) {
    this.#socket = createConnection(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    this.#socket.on('data', (text: string) => {
      this.#held += text;
      this.#offer();
    });
    this.#socket.on('error', (why) => this.#end(why)).on('close', () => this.#end(new Error('closed')));
  }

  says(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** @returns the last line of the next reply */
  reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#offer();
      // What was said before the end counts, even when it is read after it.
      if (this.#over !== undefined) this.#waiting?.reject(this.#over);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #offer(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (let end = this.#held.indexOf('\r\n'); end !== -1; end = this.#held.indexOf('\r\n')) {
      const line = this.#held.slice(0, end);
      this.#held = this.#held.slice(end + 2);
      if (line[3] === '-') continue;
      this.#waiting = undefined;
      waiting.resolve(line);
      return;
    }
  }

  #end(why: Error): void {
    this.#over ??= why;
    this.#waiting?.reject(this.#over);
  }
}
