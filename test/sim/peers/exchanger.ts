import type { Listening } from '../../../src/world/index.ts';
import type { SimNetwork } from '../../../src/world/sim/index.ts';
import type { Dice } from '../dice.ts';
import { ExchangerSession, type Host, type SessionHearer } from './exchanger-session.ts';
import type { Mood } from './habits.ts';

/** A mail exchanger: one address that listens on port 25, in a mood that changes. */
export class Exchanger implements Host {
  readonly name: string;
  readonly ip: string;
  readonly hearer: SessionHearer;
  readonly #dice: Dice;
  readonly #network: SimNetwork;
  mood: Mood = 'good';
  #sessions = 0;

  constructor(network: SimNetwork, dice: Dice, name: string, ip: string, hearer: SessionHearer) {
    this.#network = network;
    this.#dice = dice;
    this.name = name;
    this.ip = ip;
    this.hearer = hearer;
  }

  open(): Promise<Listening> {
    return this.#network.listen({ kind: 'tcp', ip: this.ip, port: 25 }, { backlog: 100, fileMode: 0 }, (pipe) => {
      this.#sessions++;
      return new ExchangerSession(this, pipe, this.#dice.fork(), this.#sessions);
    });
  }

  turn(mood: Mood): void {
    this.mood = mood;
    const key = `${this.ip}:25`;
    this.#network.heal(key);
    if (mood === 'refusing') this.#network.refuse(key);
    if (mood === 'silent') this.#network.silence(key);
  }
}
