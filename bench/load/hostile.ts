import { createConnection, type Socket } from 'node:net';
import { ReplyScanner } from './reply-scanner.ts';
import { textOf } from './session.ts';
import type { Hostile, Plan } from './smtp-plan.ts';
import type { Tally } from './tally.ts';

/** What a flood repeats, in one write. */
const FLOODS: Partial<Record<Hostile, Buffer>> = {
  commands: Buffer.from('WHAT IS THIS\r\n'.repeat(200), 'latin1'),
  lines: Buffer.alloc(16_384, 'A'),
  nul: Buffer.from(`${'\0'.repeat(30)}\r\n`.repeat(100), 'latin1'),
  utf8: Buffer.from('\xc3\x28\xff\xfe\xf8\x88\x80\r\n'.repeat(100), 'latin1'),
  hello: Buffer.from(`\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'\x5a'.repeat(200)}`, 'latin1'),
  mute: Buffer.from('NOOP\r\n'.repeat(500), 'latin1'),
};
/** Floods of bytes wait this long between two writes of a connection, in ms: whoever wants more takes more sessions. */
const PAUSE = 10;

/** A client that no server wants, as often as the plan says. When the server hangs up, another comes. */
export class Intruder {
  readonly #plan: Plan;
  readonly #tally: Tally;
  readonly #mode: Hostile;
  readonly #over: (intruder: Intruder) => void;
  readonly #socket: Socket;
  readonly #script: Buffer;
  #at = 0;
  #greeted = false;
  #nextAt = 0;
  #gone = false;

  /** @param over  told once, when the connection has gone */
  constructor(plan: Plan, tally: Tally, mode: Hostile, number: number, over: (intruder: Intruder) => void) {
    this.#plan = plan;
    this.#tally = tally;
    this.#mode = mode;
    this.#over = over;
    const envelope = `EHLO ${plan.ehlo}\r\nMAIL FROM:<${plan.from}>\r\nRCPT TO:<${plan.to}>\r\nDATA\r\n`;
    this.#script = Buffer.concat([Buffer.from(envelope, 'latin1'), textOf(plan.sizes[0]?.bytes ?? 1024)]);
    const { host, port, sources } = plan;
    const localAddress = sources.length === 0 ? undefined : sources[number % sources.length];
    const began = performance.now();
    this.#socket = createConnection({
      host,
      port,
      noDelay: true,
      allowHalfOpen: mode === 'half',
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const replies = new ReplyScanner((code) => {
      if (this.#greeted && code < 400) return;
      if (this.#greeted || code >= 400) return tally.refuse('reply', code);
      this.#greeted = true;
      tally.connections += 1;
      tally.times.connect.add(performance.now() - began);
      this.#begin();
    });
    this.#socket.on('data', (chunk: Buffer) => replies.feed(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      // A server that hangs up on this one is right.
      if (!this.#greeted && error.code !== 'ECONNRESET') tally.fail(`${error.code ?? error.message} at connect`);
    });
    this.#socket.on('close', () => this.#closed());
  }

  /** To be called some hundred times a second. */
  tick(now: number): void {
    if (!this.#greeted || this.#gone || now < this.#nextAt) return;
    if (this.#mode === 'drip') {
      this.#nextAt = now + 1000;
      this.#socket.write(this.#script.subarray(this.#at, this.#at + 1));
      this.#at = (this.#at + 1) % this.#script.length;
      return;
    }
    const flood = FLOODS[this.#mode];
    // What the server does not take is not piled up here.
    if (flood === undefined || this.#socket.writableNeedDrain) return;
    this.#nextAt = now + PAUSE;
    this.#socket.write(flood);
  }

  drop(): void {
    this.#socket.destroy();
  }

  #begin(): void {
    // Not all in the same instant.
    this.#nextAt = performance.now() + (this.#mode === 'drip' ? Math.random() * 1000 : 0);
    switch (this.#mode) {
      case 'connects':
        return this.drop();
      case 'mute':
        this.#socket.pause();
        return;
      case 'half':
        this.#socket.end(`EHLO ${this.#plan.ehlo}\r\n`);
        return;
    }
  }

  #closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#tally.lost += this.#greeted && this.#mode !== 'connects' ? 1 : 0;
    this.#over(this);
  }
}
