import type { Endpoint } from '../../src/base/index.ts';
import { EcstreamServer, type EcstreamServerEvent, type EcstreamServerSettings } from '../../src/ecstream/index.ts';
import type { Clock, Pipe, PipeHost, TlsContext, TlsFacts } from '../../src/world/index.ts';
import type { MailRoom } from '../support/mail-room.ts';
import { AT } from './house.ts';

/** How a peer behaves; what is left out is done as it should be. */
export interface StreamScript {
  readonly settings?: Partial<EcstreamServerSettings>;
  /** The window of its WELCOME. */
  readonly window?: readonly [messages: number, bytes: number];
  /** Use_SSL. */
  readonly tls?: TlsContext;
  /** It reads nothing behind this many bytes. */
  readonly readsUpTo?: number;
  /** It closes behind its first words. */
  readonly hangsUp?: boolean;
  /** @returns whether the event was seen to */
  readonly hear?: (event: EcstreamServerEvent, machine: EcstreamServer) => boolean;
}

interface Taken {
  readonly to: readonly string[];
  readonly flags: number;
  body: string;
}

const SETTINGS: EcstreamServerSettings = {
  hostName: 'peer.test',
  maxRecipients: 1000,
  maxFrame: 1_048_576,
  maxMessage: 0,
  windowMessages: 256,
  windowBytes: 16_777_216,
  idle: 0,
  auth: false,
  capabilities: 3,
};

/** A server of ECStream that does what a test wants. */
export class StreamPeer {
  readonly #script: StreamScript;
  readonly #clock: Clock;
  readonly taken: Taken[] = [];
  readonly facts: TlsFacts[] = [];
  readonly machines: EcstreamServer[] = [];
  readonly #sends: (() => void)[] = [];
  /** It closes no connection. */
  clings = false;

  private constructor(clock: Clock, script: StreamScript) {
    this.#clock = clock;
    this.#script = script;
  }

  static async at(
    room: Pick<MailRoom, 'clock' | 'network'>,
    script: StreamScript = {},
    at: Endpoint = AT,
  ): Promise<StreamPeer> {
    const peer = new StreamPeer(room.clock, script);
    await room.network.listen(at, { backlog: 10, fileMode: 0 }, (pipe) => peer.#accept(pipe));
    return peer;
  }

  get sessions(): number {
    return this.machines.length;
  }

  /** What its machines have to say goes out. */
  say(): void {
    for (const send of this.#sends) send();
  }

  #accept(pipe: Pipe): PipeHost {
    const { tls, readsUpTo = Number.POSITIVE_INFINITY } = this.#script;
    const machine = new EcstreamServer({ ...SETTINGS, ...this.#script.settings }, this.#clock.now());
    this.machines.push(machine);
    const send = (): void => {
      pipe.write(machine.take());
      if (machine.closed && !this.clings) pipe.end();
    };
    this.#sends.push(send);
    if (tls !== undefined) pipe.secure({ as: 'server', context: tls });
    let read = 0;
    return {
      data: (chunk) => {
        read += chunk.length;
        if (read > readsUpTo) pipe.pause();
        machine.receive(chunk);
        for (let event = machine.next(this.#clock.now()); event !== undefined; event = machine.next(this.#clock.now()))
          if (this.#script.hear?.(event, machine) !== true) this.#hear(event, machine);
        machine.acknowledge();
        send();
        if (this.#script.hangsUp) pipe.end();
      },
      secured: (facts) => void this.facts.push(facts),
      drained: () => undefined,
      ended: () => void (this.clings || pipe.end()),
      closed: () => undefined,
    };
  }

  #hear(event: EcstreamServerEvent, machine: EcstreamServer): void {
    if (event.kind === 'hello') machine.welcome(...(this.#script.window ?? []));
    if (event.kind !== 'message' && event.kind !== 'body') return;
    if (event.kind === 'message') {
      const { recipients, flags } = event.envelope;
      this.taken.push({ to: recipients.map(({ address }) => address), flags, body: '' });
    }
    const taken = this.taken.at(-1) as Taken;
    taken.body += Buffer.from(event.body).toString('latin1');
    if (event.end) machine.accept(event.seq, `id${event.seq}`);
  }
}
