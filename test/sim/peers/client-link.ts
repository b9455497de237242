import { millis } from '../../../src/base/index.ts';
import type { ConnectHost } from '../../../src/world/index.ts';
import type { SimClock, SimNetwork, SimPipe } from '../../../src/world/sim/index.ts';
import { CLIENT_IP, SERVER_IP } from '../places.ts';

/** How a client leaves in the middle of things. */
export type Exit = 'closes' | 'resets' | 'loses its link' | 'is heard no more' | 'reads no more';

export interface ClientReply {
  readonly code: number;
  readonly text: string;
}

/** How long a client waits for a reply. */
const PATIENCE = 180_000;

/** A client's connection to the server: writes, reads replies, and vanishes when it is told to. */
export class ClientLink implements ConnectHost {
  readonly #clock: SimClock;
  readonly #network: SimNetwork;
  readonly #pipe: SimPipe;
  readonly #exit: { readonly after: number; readonly how: Exit } | undefined;
  #held = '';
  #lines: string[] = [];
  readonly #replies: ClientReply[] = [];
  #waiting: ((reply: ClientReply | undefined) => void) | undefined;
  #written = 0;
  #closed = false;
  gone: Exit | undefined;

  /** @param exit after so many bytes it vanishes */
  constructor(clock: SimClock, network: SimNetwork, exit?: { readonly after: number; readonly how: Exit }, port = 25) {
    this.#clock = clock;
    this.#network = network;
    this.#exit = exit;
    this.#pipe = network.connect({ kind: 'tcp', ip: SERVER_IP, port }, CLIENT_IP, this);
  }

  get over(): boolean {
    return this.#closed || this.gone !== undefined;
  }

  /** @returns how many of the bytes have gone out */
  write(bytes: Buffer): number {
    if (this.over) return 0;
    const left = this.#exit === undefined ? bytes.length : Math.min(bytes.length, this.#exit.after - this.#written);
    this.#written += left;
    if (left > 0) this.#pipe.write([bytes.subarray(0, left)]);
    if (this.#exit !== undefined && this.#written >= this.#exit.after) this.#vanish(this.#exit.how);
    return left;
  }

  /** @returns undefined when the connection is over, or nothing comes */
  reply(): Promise<ClientReply | undefined> {
    const ready = this.#replies.shift();
    if (ready !== undefined || this.over) return Promise.resolve(ready);
    return new Promise((resolve) => {
      const timer = this.#clock.at(millis(this.#clock.now() + PATIENCE), () => this.#answer(undefined));
      this.#waiting = (reply) => {
        timer[Symbol.dispose]();
        resolve(reply);
      };
    });
  }

  close(): void {
    this.#pipe.end();
  }

  opened(): void {}

  data(chunk: Uint8Array): void {
    this.#held += Buffer.from(chunk).toString('latin1');
    for (let end = this.#held.indexOf('\r\n'); end !== -1; end = this.#held.indexOf('\r\n')) {
      const line = this.#held.slice(0, end);
      this.#held = this.#held.slice(end + 2);
      this.#lines.push(line.slice(4));
      if (line[3] === '-') continue;
      const reply = { code: Number(line.slice(0, 3)), text: this.#lines.join('\n') };
      this.#lines = [];
      if (this.#waiting === undefined) this.#replies.push(reply);
      else this.#answer(reply);
    }
  }

  drained(): void {}

  closed(): void {
    this.#closed = true;
    this.#answer(undefined);
  }

  #answer(reply: ClientReply | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(reply);
  }

  #vanish(how: Exit): void {
    this.gone = how;
    switch (how) {
      case 'closes':
        this.#pipe.end();
        break;
      case 'resets':
        this.#pipe.destroy();
        break;
      case 'loses its link':
        this.#network.cut(this.#pipe);
        break;
      case 'is heard no more':
        this.#pipe.mute();
        break;
      case 'reads no more':
        this.#pipe.pause();
        break;
    }
    this.#answer(undefined);
  }
}
