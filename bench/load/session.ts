import { createConnection, type Socket } from 'node:net';
import { ReplyScanner } from './reply-scanner.ts';

/** A text of so many bytes, headers and all, that ends with the dot. */
export function textOf(bytes: number): Buffer {
  const header = 'Date: Tue, 03 Mar 2026 10:00:00 +0000\r\nFrom: <a@src.test>\r\nSubject: x\r\n\r\n';
  const line = `${'x'.repeat(76)}\r\n`;
  const body = line.repeat(Math.ceil(bytes / line.length)).slice(0, Math.max(bytes - header.length - 2, 0));
  return Buffer.from(`${header}${body}\r\n.\r\n`, 'latin1');
}

/**
 * One SMTP session of a load, with as little work as can be: an envelope goes out as one write and waits at the 354, so
 * that a text can follow at any moment.
 */
export class LeanSession {
  readonly #socket: Socket;
  /** Replies that are still due before something is to be done. */
  #due = 1;
  #then: 'greet' | 'envelope' | 'ready' | 'taken' = 'greet';
  #sentAt = 0;
  #next: string | undefined;
  #leaving = false;
  readonly #hear: Hearer;

  constructor(port: number, hear: Hearer) {
    this.#hear = hear;
    this.#socket = createConnection(port, '127.0.0.1').setNoDelay(true);
    const replies = new ReplyScanner((code) => {
      if (!this.#leaving) this.#reply(Math.trunc(code / 100));
    });
    this.#socket.on('data', (chunk: Buffer) => replies.feed(chunk));
    const over = (why: Error): void => {
      if (!this.#leaving) this.#hear.over(this, why);
    };
    this.#socket.on('error', over).on('close', () => over(new Error('the server hung up')));
  }

  /** Only when it is `greeted` or a text was taken without an envelope behind it. */
  envelope(text: string): void {
    this.#socket.write(text, 'latin1');
    this.#await(3, 'ready');
  }

  /** Only when it is `ready`. @param next  an envelope that goes out right behind the dot */
  text(bytes: Buffer, next?: string): void {
    this.#next = next;
    this.#sentAt = performance.now();
    if (next === undefined) this.#socket.write(bytes);
    else {
      this.#socket.cork();
      this.#socket.write(bytes);
      this.#socket.write(next, 'latin1');
      this.#socket.uncork();
    }
    this.#await(1, 'taken');
  }

  /** An envelope is out, or on its way. */
  get busy(): boolean {
    return this.#next !== undefined;
  }

  quit(): void {
    this.#leaving = true;
    this.#socket.end('QUIT\r\n');
  }

  /** Hangs up, whatever the peer waits for. */
  drop(): void {
    this.#leaving = true;
    this.#socket.destroy();
  }

  #await(replies: number, then: 'envelope' | 'ready' | 'taken'): void {
    this.#due = replies;
    this.#then = then;
  }

  /** @param digit  the first of the code */
  #reply(digit: number): void {
    if (digit > 3) {
      this.#hear.over(this, new Error(`refused with ${digit}xx`));
      this.#socket.destroy();
      return;
    }
    if (--this.#due !== 0) return;
    switch (this.#then) {
      case 'greet':
        this.#socket.write('EHLO load.test\r\n');
        this.#await(1, 'envelope');
        return;
      case 'envelope':
        this.#hear.greeted(this);
        return;
      case 'ready':
        this.#hear.ready(this);
        return;
      case 'taken': {
        const took = performance.now() - this.#sentAt;
        if (this.#next !== undefined) this.#await(3, 'ready');
        this.#hear.taken(this, took);
        return;
      }
    }
  }
}

/** Whoever drives sessions. */
export interface Hearer {
  /** After the reply to EHLO. */
  greeted(session: LeanSession): void;
  /** The peer wants the text. */
  ready(session: LeanSession): void;
  /** @param took  milliseconds from the write of the text to the 250 */
  taken(session: LeanSession, took: number): void;
  /** It ended, and not by `quit`. May come twice. */
  over(session: LeanSession, why: Error): void;
}

/** Times in milliseconds, and what they say. */
export class Times {
  readonly #all: number[] = [];

  add(millis: number): void {
    this.#all.push(millis);
  }

  get count(): number {
    return this.#all.length;
  }

  summary(): Percentiles {
    const sorted = Float64Array.from(this.#all).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), most: sorted.at(-1) ?? 0 };
  }
}

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly most: number;
}
