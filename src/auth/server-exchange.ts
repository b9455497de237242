import { cramServer } from './cram-md5.ts';
import type { CredentialStores } from './credential-stores.ts';
import { digestServer } from './digest-md5.ts';
import type { MechanismName, ServerMechanism, ServerStep } from './mechanism.ts';
import { loginServer, plainServer } from './plain.ts';
import { scramServer } from './scram.ts';
import { hex } from './secrets.ts';
import type { StoreAddress } from './store-address.ts';

/** What a server says of itself in a conversation. */
export interface ServerTerms {
  /** For DIGEST-MD5. */
  readonly realm: string;
  /** `smtp`, `console`. */
  readonly service: string;
  readonly hostName: string;
  /** At least 16 random bytes, for this conversation alone. */
  readonly random: Uint8Array;
}

export function serverMechanism(
  name: MechanismName,
  { realm, service, hostName, random }: ServerTerms,
): ServerMechanism {
  switch (name) {
    case 'LOGIN':
      return loginServer();
    case 'PLAIN':
      return plainServer();
    case 'CRAM-MD5':
      return cramServer(`<${hex(random)}@${hostName}>`);
    case 'DIGEST-MD5':
      return digestServer({ realm, nonce: hex(random), service });
    case 'SCRAM-SHA-256':
      return scramServer(hex(random));
  }
}

/** A step that the client hears of. */
export type Outcome = Extract<ServerStep, { readonly kind: 'challenge' | 'granted' | 'denied' }>;

/** A login in progress. One call at a time; after `granted` or `denied` it is over. */
export interface Exchange {
  begin(initial: Uint8Array | undefined): Promise<Outcome>;
  respond(response: Uint8Array): Promise<Outcome>;
}

/** What a conversation asks of the house. */
export type ExchangeStores = Pick<CredentialStores, 'verdict' | 'password' | 'digest' | 'scram'>;

/**
 * The same with a password: a machine, and the store that answers its questions. What `granted` carries is the server's
 * proof: protocols without room for it send it as one more challenge, which an empty response answers.
 */
export class ServerExchange implements Exchange {
  readonly #machine: ServerMechanism;
  readonly #stores: ExchangeStores;
  readonly #store: StoreAddress;
  readonly #realm: string;

  /** @param realm  of the listener; a store of a scheme may want it with mechanisms that have none */
  constructor(machine: ServerMechanism, stores: ExchangeStores, store: StoreAddress, realm = '') {
    this.#machine = machine;
    this.#stores = stores;
    this.#store = store;
    this.#realm = realm;
  }

  begin(initial: Uint8Array | undefined): Promise<Outcome> {
    return this.#settle(this.#machine.begin(initial));
  }

  respond(response: Uint8Array): Promise<Outcome> {
    return this.#settle(this.#machine.respond(response));
  }

  async #settle(first: ServerStep): Promise<Outcome> {
    let step = first;
    for (;;) {
      switch (step.kind) {
        case 'verdict wanted':
          step = step.answered(await this.#stores.verdict(this.#store, step.user, step.password, this.#realm));
          break;
        case 'password wanted':
          step = step.answered(
            await this.#stores.password(this.#store, step.user, { ...step.offered, realm: this.#realm }),
          );
          break;
        case 'digest wanted':
          step = step.answered(await this.#stores.digest(this.#store, step.user, step.realm, step.offered));
          break;
        case 'scram wanted':
          step = step.answered(await this.#stores.scram(this.#store, step.user, this.#realm));
          break;
        default:
          return step;
      }
    }
  }
}
