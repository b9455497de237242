import type { Verdict } from '../policy/index.ts';
import { type Reply, type ServerWord, serverReplies } from '../smtp/index.ts';
import type { Client } from './client.ts';
import type { Desk } from './desk.ts';
import type { Greeting } from './greeting.ts';
import { tarpitEnd } from './judgement.ts';
import { CORE } from './rejection.ts';
import { replies } from './replies.ts';

/** Phases of commands, as long as there is no body. */
export type CommandPhase =
  | 'core_validate_accept'
  | 'validate_connect'
  | 'validate_ehlo'
  | 'validate_mailfrom'
  | 'validate_rcptto';

/** Who answers a command once policy has spoken. */
export interface CommandHost {
  /** False when the client has gone, or somebody else has answered. */
  awaits(turn: number): boolean;
  /** A client that has not been greeted. */
  unknown(): Greeting;
  /** @param yes the answer that holds when policy has nothing against it */
  accept(phase: CommandPhase, turn: number, yes: ServerWord): void;
  refuse(phase: CommandPhase, turn: number, said: Reply, module: string): void;
  /** With a straight face: what comes of the command is dropped. */
  discard(phase: CommandPhase, turn: number, yes: ServerWord): void;
}

/** Asks policy about commands that are in order otherwise. */
export class CommandPolicy {
  readonly #desk: Desk;
  readonly #client: Client;
  readonly #host: CommandHost;

  constructor(desk: Desk, client: Client, host: CommandHost) {
    this.#desk = desk;
    this.#client = client;
    this.#host = host;
  }

  decide(phase: CommandPhase, turn: number, yes: ServerWord): void {
    const { policy } = this.#desk.parts;
    if (!policy.has(phase)) return this.#host.accept(phase, turn, yes);
    const verdict =
      phase === 'core_validate_accept' ? policy.run(phase, this.#host.unknown()) : policy.run(phase, this.#client);
    if (!(verdict instanceof Promise)) return this.#apply(phase, turn, yes, verdict);
    void verdict.then((late) => {
      if (this.#host.awaits(turn)) this.#apply(phase, turn, yes, late);
    });
  }

  /** For those who count what clients say wrong. */
  misspoken(said: Reply): void {
    const { policy } = this.#desk.parts;
    if (!policy.has('command_misspoken')) return;
    const unrecognized = said === serverReplies.unknownCommand;
    if (!unrecognized && said.enhanced !== '5.5.2' && said.enhanced !== '5.5.4') return;
    const { remote, helo, reversePath, recipient, connectionContext, messageContext } = this.#client;
    void policy.run('command_misspoken', {
      ...{ remote, helo, reversePath, recipient, connectionContext, messageContext },
      unrecognized,
    });
  }

  #apply(phase: CommandPhase, turn: number, yes: ServerWord, verdict: Verdict): void {
    switch (verdict.kind) {
      case 'reject':
      case 'soft':
        return this.#host.refuse(phase, turn, verdict.reply, verdict.module ?? CORE);
      case 'disconnect':
        return this.#host.refuse(phase, turn, replies.disconnect, CORE);
      case 'tarpit': {
        const { clock } = this.#desk.parts;
        clock.at(tarpitEnd(clock.now(), verdict.seconds), () => {
          if (this.#host.awaits(turn)) this.#host.accept(phase, turn, yes);
        });
        return;
      }
      case 'discard':
        return this.#host.discard(phase, turn, yes);
      default:
        return this.#host.accept(phase, turn, yes);
    }
  }
}
