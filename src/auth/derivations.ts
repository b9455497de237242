import { Lru } from '../base/index.ts';
import type { Hashing } from '../world/index.ts';
import { Gate } from './gate.ts';
import { type ScramSecret, scramSecret } from './scram-secret.ts';
import { hmacSha256, sameSecret } from './secrets.ts';

/** Half of libuv's four threads: the disk needs the others. */
const AT_ONCE = 2;
/** Who waits already; more logins than that at one moment are turned away as `unavailable`. */
const MOST_WAITING = 200;
const MOST_KEPT = 10_000;

/**
 * PBKDF2 where the server must compute it: a password in clear text against a SCRAM line, or SCRAM for a password that
 * is kept in clear text. Bounded, and what was right is remembered: a password that is wrong, or whose user does not
 * exist, costs the same each time.
 */
export class Derivations {
  readonly #hashing: Hashing;
  /** Of this process only: what is kept says nothing without it. */
  readonly #key: Uint8Array;
  readonly #right = new Lru<string, true>(MOST_KEPT);
  readonly #secrets = new Lru<string, ScramSecret>(MOST_KEPT);
  readonly #gate = new Gate(AT_ONCE, MOST_WAITING);

  /** @param key  random */
  constructor(hashing: Hashing, key: Uint8Array) {
    this.#hashing = hashing;
    this.#key = key;
  }

  /** @returns undefined when too many wait already */
  async fits(user: string, password: string, secret: ScramSecret): Promise<boolean | undefined> {
    const name = this.#name(user, password, secret.storedKey, secret.salt, `${secret.iterations}`);
    if (this.#right.get(name) === true) return true;
    const salted = await this.#derive(password, secret.salt, secret.iterations);
    if (salted === undefined) return undefined;
    const fits = sameSecret(scramSecret(salted, secret.salt, secret.iterations).storedKey, secret.storedKey);
    if (fits) this.#right.set(name, true);
    return fits;
  }

  /** A SCRAM secret for a password in clear text, the same as long as this process lives. */
  async secret(user: string, password: string, salt: Uint8Array, iterations: number): Promise<ScramSecret | undefined> {
    const name = this.#name(user, password, salt, `${iterations}`);
    const kept = this.#secrets.get(name);
    if (kept !== undefined) return kept;
    const salted = await this.#derive(password, salt, iterations);
    if (salted === undefined) return undefined;
    const secret = scramSecret(salted, salt, iterations);
    this.#secrets.set(name, secret);
    return secret;
  }

  #name(...parts: readonly (string | Uint8Array)[]): string {
    const hashes = parts.map((part) => hmacSha256(this.#key, part));
    return hmacSha256(this.#key, Buffer.concat(hashes)).toString('base64');
  }

  #derive(password: string, salt: Uint8Array, iterations: number): Promise<Uint8Array | undefined> {
    return this.#gate.run(() => this.#hashing.pbkdf2(Buffer.from(password), salt, iterations));
  }
}
