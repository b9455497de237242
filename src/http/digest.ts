import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Lru, millis } from '../base/index.ts';
import type { Chance, Clock } from '../world/index.ts';

/** How long a nonce may be used, and how often. */
const NONCE_MILLIS = 300_000;
const NONCE_USES = 1000;
/** Nonces whose uses are remembered. */
const MOST_NONCES = 10_000;

export type DigestVerdict = 'right' | 'wrong' | 'stale';

/**
 * HTTP Digest (RFC 7616) with MD5 and `qop=auth`, as Momentum's clients speak it. A nonce carries its own time and proof,
 * and what has been used once cannot be used again. Only those that were used by somebody who knows the password are
 * remembered: a stranger who asks for thousands pushes out none.
 */
export class DigestNonces {
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  readonly #chance: Chance;
  readonly #used = new Lru<string, Set<number>>(MOST_NONCES);
  /** Uses of nonces that were made up to here may have been forgotten. */
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
    this.#key = chance.bytes(32);
  }

  challenge(realm: string, stale: boolean): string {
    const at = Math.floor(this.#clock.now()).toString(16);
    const plain = `${at}.${Buffer.from(this.#chance.bytes(12)).toString('hex')}`;
    const nonce = `${plain}.${this.#proof(plain)}`;
    return `Digest realm=${quoted(realm)}, qop="auth", algorithm=MD5, nonce="${nonce}"${stale ? ', stale=true' : ''}`;
  }

  /**
   * @param secret MD5(user:realm:password) in hex
   * @param target of the request line, as it was sent
   */
  verdict(fields: ReadonlyMap<string, string>, secret: string, method: string, target: string): DigestVerdict {
    const of = (name: string): string => fields.get(name) ?? '';
    const nonce = of('nonce');
    const count = of('nc');
    if (of('qop') !== 'auth' || !/^[0-9a-f]{8}$/i.test(count) || of('cnonce') === '') return 'wrong';
    if (!/^(?:MD5)?$/i.test(of('algorithm')) || of('uri') !== target) return 'wrong';
    const asked = md5(`${secret}:${nonce}:${count}:${of('cnonce')}:auth:${md5(`${method}:${target}`)}`);
    if (!same(of('response').toLowerCase(), asked)) return 'wrong';
    // RFC 7616 3.3: only who knows the password is told that it is the nonce which does not do.
    const used = this.#usesOf(nonce);
    const use = Number.parseInt(count, 16);
    if (used === undefined || used.has(use) || used.size >= NONCE_USES) return 'stale';
    used.add(use);
    return 'right';
  }

  /** @returns undefined when it is not ours, too old, or perhaps used */
  #usesOf(nonce: string): Set<number> | undefined {
    const plain = nonce.slice(0, Math.max(0, nonce.lastIndexOf('.')));
    if (!same(nonce.slice(plain.length + 1), this.#proof(plain))) return undefined;
    const now = this.#clock.now();
    const made = Number.parseInt(plain, 16);
    if (now - made >= NONCE_MILLIS) return undefined;
    const known = this.#used.get(nonce);
    if (known !== undefined || made <= this.#forgotten) return known;
    if (this.#used.size >= MOST_NONCES && this.#used.expire(now) === 0) {
      this.#used.clear();
      this.#forgotten = now;
    }
    const used = new Set<number>();
    this.#used.set(nonce, used, millis(made + NONCE_MILLIS));
    return used;
  }

  #proof(plain: string): string {
    return createHmac('sha256', this.#key).update(plain).digest('hex').slice(0, 32);
  }
}

export const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');

export const quoted = (text: string): string => `"${text.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;

/** In a time that tells nothing of where two texts differ. */
function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
