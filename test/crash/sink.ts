import { createServer, type Server, type Socket } from 'node:net';
import { Chance } from './chance.ts';
import { fateOf, isWhole } from './letters.ts';

/** A message that the sink has got whole, dot and all. */
export interface Arrival {
  /** In the order of arrival, from 1; the reply to the dot names it. */
  readonly serial: number;
  /** Which life of the server brought it: the round in which it connected. */
  readonly round: number;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly messageId: string;
  /** A bounce: the recipients it speaks about. */
  readonly failed: readonly string[];
  /** The body is what its header says. */
  readonly whole: boolean;
  /** The sink hung up instead of replying. */
  readonly vanished: boolean;
}

/** How often the sink hangs up between dot and reply. */
const VANISHES = 0.01;

/**
 * A plain SMTP server that shares no code with the one that is tried. Takes `ok-…`, refuses `no-…`, turns `later-…` away
 * once, and numbers what it takes.
 */
export class CountingSink implements AsyncDisposable {
  readonly arrivals: Arrival[] = [];
  round = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #chance: Chance;
  /** Recipients that were turned away once. */
  readonly #seen = new Set<string>();
  #serial = 0;

  private constructor(seed: number) {
    this.#chance = new Chance(seed, 25);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      new Session(this, socket, this.round);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(seed: number): Promise<CountingSink> {
    const sink = new CountingSink(seed);
    await new Promise<void>((resolve, reject) => {
      sink.#server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return sink;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  reply(recipient: string): string {
    const fate = fateOf(recipient);
    if (fate === 'no') return '550 5.1.1 no such mailbox';
    if (fate === 'ok' || this.#seen.has(recipient)) return '250 2.1.5 welcome';
    this.#seen.add(recipient);
    return '450 4.2.1 later';
  }

  /** @returns undefined: hang up */
  take(round: number, reversePath: string, recipients: readonly string[], text: string): string | undefined {
    const vanished = this.#chance.next() < VANISHES;
    const serial = ++this.#serial;
    const header = text.slice(0, text.indexOf('\r\n\r\n') + 2);
    this.arrivals.push({
      serial,
      round,
      reversePath,
      recipients,
      messageId: /^Message-ID: <([^>]*)>/im.exec(header)?.[1] ?? '',
      failed: [...text.matchAll(/^Final-Recipient: rfc822; ?(\S+)\r$/gim)].map((found) => found[1] ?? ''),
      whole: isWhole(text),
      vanished,
    });
    return vanished ? undefined : `250 2.0.0 taken ${serial}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

class Session {
  readonly #sink: CountingSink;
  readonly #socket: Socket;
  readonly #round: number;
  #held = '';
  #reversePath = '';
  #recipients: string[] = [];
  #inText = false;
  /** Where the search for the end goes on. */
  #searched = 0;

  constructor(sink: CountingSink, socket: Socket, round: number) {
    this.#sink = sink;
    this.#socket = socket;
    this.#round = round;
    socket.setNoDelay(true).setEncoding('latin1');
    // A server that was killed resets its connections.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: string) => this.#data(chunk));
    this.#say('220 sink.test ESMTP');
  }

  #data(chunk: string): void {
    this.#held += chunk;
    while (this.#inText ? this.#text() : this.#line()) if (this.#socket.destroyed) return;
  }

  #line(): boolean {
    const end = this.#held.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.#held.slice(0, end);
    this.#held = this.#held.slice(end + 2);
    const verb = line.slice(0, 4).toUpperCase();
    const path = /<([^>]*)>/.exec(line)?.[1] ?? '';
    if (verb === 'EHLO') this.#say('250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE');
    else if (verb === 'MAIL') {
      this.#reversePath = path;
      this.#recipients = [];
      this.#say('250 2.1.0 go on');
    } else if (verb === 'RCPT') {
      const reply = this.#sink.reply(path);
      if (reply.startsWith('2')) this.#recipients.push(path);
      this.#say(reply);
    } else if (verb === 'DATA') {
      if (this.#recipients.length === 0) this.#say('554 5.5.1 nobody to write to');
      else {
        this.#inText = true;
        this.#searched = 0;
        // So that a dot at the very beginning stands on a line of its own too.
        this.#held = `\r\n${this.#held}`;
        this.#say('354 go on');
      }
    } else if (verb === 'RSET' || verb === 'NOOP') this.#say('250 2.0.0 done');
    else if (verb === 'QUIT') {
      this.#say('221 2.0.0 bye');
      this.#socket.end();
    } else this.#say('502 5.5.1 what?');
    return true;
  }

  #text(): boolean {
    const end = this.#held.indexOf('\r\n.\r\n', this.#searched);
    if (end === -1) {
      this.#searched = Math.max(0, this.#held.length - 4);
      return false;
    }
    const text = this.#held.slice(2, end + 2).replace(/^\./gm, '');
    this.#held = this.#held.slice(end + 5);
    this.#inText = false;
    const reply = this.#sink.take(this.#round, this.#reversePath, this.#recipients, text);
    if (reply === undefined) this.#socket.destroy();
    else this.#say(reply);
    return true;
  }

  #say(line: string): void {
    this.#socket.write(`${line}\r\n`, 'latin1');
  }
}
