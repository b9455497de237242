import { bearerServer, type TokenMechanism, type TokenStep, type TokenVerdict } from './bearer.ts';
import type { TokenMechanismName } from './mechanism.ts';
import type { Exchange, Outcome } from './server-exchange.ts';

/** A login by an access token in progress. */
export class TokenExchange implements Exchange {
  readonly #machine: TokenMechanism;
  readonly #check: (token: string) => Promise<TokenVerdict>;

  /** @param check  never rejects */
  constructor(name: TokenMechanismName, check: (token: string) => Promise<TokenVerdict>) {
    this.#machine = bearerServer(name);
    this.#check = check;
  }

  begin(initial: Uint8Array | undefined): Promise<Outcome> {
    return this.#settle(this.#machine.begin(initial));
  }

  respond(response: Uint8Array): Promise<Outcome> {
    return this.#settle(this.#machine.respond(response));
  }

  async #settle(first: TokenStep): Promise<Outcome> {
    let step = first;
    while (step.kind === 'token wanted') step = step.answered(await this.#check(step.token));
    return step;
  }
}
