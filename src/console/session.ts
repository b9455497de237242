import { clientAddress, peerText } from '../reception/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import { answer } from './answer.ts';
import { exitOf, type Output, type Piece } from './command.ts';
import { complete } from './completion.ts';
import { after, Drain } from './drain.ts';
import {
  type Frame,
  FrameError,
  FrameReader,
  frame,
  frameKinds,
  helloFrame,
  maxPayload,
  protocolVersion,
  textFrame,
} from './frames.ts';
import type { ConfigSession, House } from './house.ts';
import { timeout } from './options.ts';
import type { ConsoleOrigin } from './origin.ts';

/** Output is gathered up to this much before a frame goes out. */
const frameBytes = 16_384;
/** So many pieces, and others get their turn: a scan over a million queues must not hold up the mail. */
const piecesPerTurn = 500;
/** While a command works and prints nothing, an empty frame tells the client that it is not dead. */
const stillWorkingMillis = 15_000;
/** What a client may send ahead while a command runs. */
const maxAhead = 2 * maxPayload;
/** At shutdown: how long a console that does not read may hold us up. */
const graceMillis = 1000;

/** One console. Commands run one after the other, answers come in their order. */
export class ConsoleSession implements PipeHost {
  readonly #house: House;
  readonly #pipe: Pipe;
  readonly #origin: ConsoleOrigin;
  readonly #idleSeconds: number;
  readonly #endpoint: string;
  readonly #ended: (session: ConsoleSession) => void;
  readonly #config: ConfigSession;
  readonly #reader = new FrameReader();
  readonly #drain: Drain;
  #idle: Disposable | undefined;
  #grace: Disposable | undefined;
  #busy = false;
  #paused = false;
  #gone = false;
  /** Set by us when the conversation is over: no further frame is read. */
  #over = false;
  #finish: string | undefined;

  constructor(
    house: House,
    pipe: Pipe,
    origin: ConsoleOrigin,
    endpoint: string,
    ended: (session: ConsoleSession) => void,
  ) {
    this.#house = house;
    this.#pipe = pipe;
    this.#origin = origin;
    this.#endpoint = endpoint;
    this.#ended = ended;
    this.#config = house.configCommands.open(`console ${endpoint}`);
    const view = origin.generation.receiving('control_listener', origin.endpoint, clientAddress(pipe.remote));
    this.#idleSeconds = view.get(timeout);
    this.#drain = new Drain(house.clock, pipe, this.#idleSeconds * 1000);
  }

  /** Says hello, and starts to wait for commands. */
  begin(): void {
    const { product, machine } = this.#house;
    this.#account('N', undefined);
    this.#drain.write(
      helloFrame({
        protocol: protocolVersion,
        product: product.name,
        version: product.version,
        host: machine.hostName,
      }),
    );
    this.#waitForCommand();
  }

  data(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#reader.receive(chunk);
    if (!this.#busy) {
      void this.#work();
    } else if (this.#reader.buffered > maxAhead && !this.#paused) {
      this.#paused = true;
      this.#pipe.pause();
    }
  }

  drained(): void {
    this.#drain.drained();
  }

  closed(): void {
    this.#gone = true;
    this.#over = true;
    this.#idle?.[Symbol.dispose]();
    this.#grace?.[Symbol.dispose]();
    this.#drain.closed();
    // A running command still uses the session's transaction; it is disposed when that command has stopped.
    if (!this.#busy) this.#config[Symbol.dispose]();
    this.#origin.ended();
    this.#ended(this);
  }

  /** The server closes: an idle console at once, a busy one as soon as its command can be stopped. */
  finish(why: string): void {
    this.#finish = why;
    this.#grace = this.#house.clock.at(after(this.#house.clock, graceMillis), () => this.#pipe.destroy());
    if (!this.#busy) this.#bye(why);
  }

  async #work(): Promise<void> {
    this.#busy = true;
    this.#idle?.[Symbol.dispose]();
    try {
      for (;;) {
        if (this.#over) break;
        if (this.#finish !== undefined) {
          this.#bye(this.#finish);
          break;
        }
        const next = this.#reader.next();
        if (next === undefined) break;
        await this.#serve(next);
      }
    } catch (trouble) {
      this.#broken(trouble);
    }
    this.#busy = false;
    if (this.#gone) this.#config[Symbol.dispose]();
    if (this.#over) return;
    if (this.#paused) {
      this.#paused = false;
      this.#pipe.resume();
    }
    this.#waitForCommand();
  }

  async #serve({ kind, payload }: Frame): Promise<void> {
    const line = payload.toString('utf8');
    if (kind === frameKinds.complete) {
      this.#drain.write(textFrame(frameKinds.output, complete(this.#house, line).join('\n').slice(0, frameBytes)));
      this.#drain.write(frame(frameKinds.end, Uint8Array.of(0)));
      return;
    }
    if (kind !== frameKinds.request) throw new FrameError(`frame kind ${kind} is not known`);
    await this.#run(line);
  }

  async #run(line: string): Promise<void> {
    // A line break would forge lines in the logs; no command needs a control character.
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) {
      this.#drain.write(textFrame(frameKinds.output, 'control characters are not allowed in a command\n'));
      this.#drain.write(frame(frameKinds.end, Uint8Array.of(exitOf.usage)));
      return;
    }
    const command = line.trim();
    this.#account('Z', command);
    this.#house.events.diagnose('INFO', 'CONSL', `${this.#endpoint}: ${command}`);
    const working = this.#everySoOften();
    let code: number;
    let quits = false;
    try {
      const result = await this.#stream(answer(this.#house, this.#config, command));
      quits = result === 'quit';
      code = exitOf[result];
    } catch (trouble) {
      // A bug of ours ends this command, not the console, and the operator learns where to look.
      this.#house.events.diagnose(
        'ERROR',
        'CONSL',
        `${command}: ${trouble instanceof Error ? (trouble.stack ?? trouble.message) : String(trouble)}`,
      );
      this.#drain.write(textFrame(frameKinds.output, 'the command failed: see the paniclog\n'));
      code = exitOf.failed;
    } finally {
      working[Symbol.dispose]();
    }
    this.#drain.write(frame(frameKinds.end, Uint8Array.of(code)));
    if (quits) this.#close();
  }

  /** Pulls a command's output as fast as the console takes it, and stops the command when the console is gone. */
  async #stream(output: Output): Promise<keyof typeof exitOf> {
    const gathered: Uint8Array[] = [];
    let bytes = 0;
    let pieces = 0;
    let turn = 0;
    const send = (): void => {
      if (bytes > 0)
        for (const payload of inFrames(gathered.splice(0), bytes)) this.#drain.write(frame(frameKinds.output, payload));
      bytes = 0;
    };
    for (;;) {
      const step = isAsync(output) ? await output.next() : output.next();
      if (step.done === true) {
        send();
        return step.value;
      }
      const piece = asBytes(step.value);
      if (piece.length > 0) {
        gathered.push(piece);
        bytes += piece.length;
        turn += piece.length;
      }
      if (bytes >= frameBytes) send();
      if (this.#drain.waiting) await this.#drain.ready();
      if (++pieces >= piecesPerTurn || turn >= 4 * frameBytes) {
        pieces = 0;
        turn = 0;
        await this.#drain.turn();
      }
      if (this.#over || this.#finish !== undefined) {
        await output.return('failed');
        send();
        return 'failed';
      }
    }
  }

  #everySoOften(): Disposable {
    const { clock } = this.#house;
    let timer: Disposable;
    const tell = (): void => {
      if (!this.#over && !this.#drain.waiting) this.#drain.write(frame(frameKinds.output, new Uint8Array(0)));
      timer = clock.at(after(this.#house.clock, stillWorkingMillis), tell);
    };
    timer = clock.at(after(this.#house.clock, stillWorkingMillis), tell);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }

  #waitForCommand(): void {
    const idleSeconds = this.#idleSeconds;
    if (idleSeconds <= 0) return;
    const lost = this.#config.open ? '; the open configuration transaction was rolled back' : '';
    this.#idle = this.#house.clock.at(after(this.#house.clock, idleSeconds * 1000), () =>
      this.#bye(`idle for ${idleSeconds} seconds${lost}`),
    );
  }

  #bye(why: string): void {
    if (this.#over) return;
    this.#drain.write(textFrame(frameKinds.bye, why));
    this.#close();
  }

  #close(): void {
    this.#over = true;
    this.#idle?.[Symbol.dispose]();
    this.#pipe.end();
  }

  #broken(trouble: unknown): void {
    const why = trouble instanceof FrameError ? trouble.message : 'internal error, see the paniclog';
    const detail = trouble instanceof Error ? (trouble.stack ?? trouble.message) : String(trouble);
    if (trouble instanceof FrameError) this.#house.events.diagnose('WARNING', 'CONSL', `${this.#endpoint}: ${why}`);
    else this.#house.events.diagnose('ERROR', 'CONSL', `${this.#endpoint}: ${detail}`);
    this.#bye(why);
  }

  /**
   * Accounting of spec 14: every login and every command. The user is empty, because Node tells no peer credentials of
   * a Unix socket; who may connect is decided by the mode of the socket.
   */
  #account(type: 'N' | 'Z', command: string | undefined): void {
    const { events, clock, configuration } = this.#house;
    const { remote } = this.#pipe;
    const peer = remote.ip === '' ? '' : peerText(remote);
    const told = { kind: 'accounting', type, listener: this.#endpoint, peer, user: '', result: 1 } as const;
    const stamp = { at: clock.date(), generation: configuration.current.number };
    events.record(command === undefined ? { ...told, ...stamp } : { ...told, ...stamp, command });
  }
}

/** A console that cannot be served is told why. */
export function refuse(pipe: Pipe, origin: ConsoleOrigin, why: string): PipeHost {
  pipe.write(textFrame(frameKinds.bye, why));
  pipe.end();
  return { data: () => {}, drained: () => {}, closed: () => origin.ended() };
}

const isAsync = (output: Output): output is Extract<Output, AsyncGenerator> => Symbol.asyncIterator in output;

const asBytes = (piece: Piece): Uint8Array => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece);

/** A single piece may be larger than a frame may be. */
function* inFrames(pieces: Uint8Array[], bytes: number): Generator<Uint8Array> {
  const whole = pieces.length === 1 ? (pieces[0] ?? new Uint8Array(0)) : Buffer.concat(pieces, bytes);
  for (let at = 0; at < whole.length; at += maxPayload) yield whole.subarray(at, at + maxPayload);
}
