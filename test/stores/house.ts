import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CredentialStores,
  cramClient,
  digestClient,
  loginClient,
  type MechanismName,
  plainClient,
  readStoreAddress,
  ServerExchange,
  scramClient,
  serverMechanism,
} from '../../src/auth/index.ts';
import type { Generation } from '../../src/config/index.ts';
import { events } from '../../src/events/index.ts';
import { checkDatasources, type HouseDatasources, houseDatasources } from '../../src/main/index.ts';
import { nodeWorld } from '../../src/world/node/index.ts';
import { Scratch } from '../end-to-end/harness.ts';
import { serverConfiguration } from '../support/server-configuration.ts';

/** Datasources and schemes of a configuration in the real world, without a server around them. */
export class StoreHouse implements Disposable {
  readonly told: string[] = [];
  readonly world = nodeWorld();
  readonly #scratch = new Scratch();
  readonly #events = events(this.world.clock, () => 1);
  readonly house: HouseDatasources = houseDatasources(this.world, this.#events);
  readonly stores = new CredentialStores({ ...this.world, events: this.#events, schemes: this.house.scheme });

  constructor() {
    this.#events.subscribe(['diagnostic'], ({ level, text }) => void this.told.push(`${level} ${text}`));
  }

  static async with(text: string): Promise<StoreHouse> {
    const house = new StoreHouse();
    await house.takes(text);
    return house;
  }

  /** @throws ConfigErrors */
  async takes(text: string): Promise<Generation> {
    const file = join(this.#scratch.path, 'impetus.conf');
    writeFileSync(file, text);
    const { current } = await serverConfiguration(this.world, file);
    await checkDatasources(this.world, current);
    this.house.take(current);
    return current;
  }

  /** A whole conversation. @returns `granted`, or why not */
  async login(mechanism: MechanismName, uri: string, user: string, password: string): Promise<string> {
    const terms = { realm: 'mx.example', service: 'smtp', hostName: 'mx.example', random: this.world.chance.bytes(18) };
    const exchange = new ServerExchange(
      serverMechanism(mechanism, terms),
      this.stores,
      readStoreAddress(uri),
      terms.realm,
    );
    const client = {
      LOGIN: loginClient(user, password),
      PLAIN: plainClient(user, password),
      'CRAM-MD5': cramClient(user, password),
      'DIGEST-MD5': digestClient(user, password, 'smtp/mx.example', 'cnonce'),
      'SCRAM-SHA-256': scramClient(user, password, 'cnonce'),
    }[mechanism];
    let step = client.begin();
    let outcome = await exchange.begin(step.kind === 'response' ? step.bytes : undefined);
    while (outcome.kind === 'challenge') {
      step = client.challenge(outcome.bytes);
      if (step.kind === 'derivation')
        step = step.derived(await this.world.hashing.pbkdf2(step.password, step.salt, step.iterations));
      if (step.kind !== 'response' || step.bytes === undefined) return `client: ${step.kind}`;
      outcome = await exchange.respond(step.bytes);
    }
    if (outcome.kind === 'denied') return outcome.why;
    return client.granted(outcome.bytes) ? 'granted' : 'the server has not proved itself';
  }

  [Symbol.dispose](): void {
    this.house[Symbol.dispose]();
    this.#scratch[Symbol.dispose]();
  }
}
