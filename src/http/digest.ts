import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Lru, millis } from '../base/index.ts';
import type { Chance, Clock } from '../world/index.ts';

/** How long a nonce may be used, and how often. */
const NONCE_MILLIS = 300_000;
const NONCE_USES = 10_000;
/** Nonces whose uses are remembered; an older one must be fetched anew. */
const MOST_NONCES = 10_000;

export type DigestVerdict = 'right' | 'wrong' | 'stale';

/**
 * HTTP Digest (RFC 7616) with MD5 and `qop=auth`, as Momentum's clients speak it. A nonce carries its own time and proof,
 * and what has been used once cannot be used again.
 */
export class DigestNonces {
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  readonly #chance: Chance;
  readonly #used = new Lru<string, Set<string>>(MOST_NONCES);

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
    this.#key = chance.bytes(32);
  }

  challenge(realm: string, stale: boolean): string {
    const at = Math.floor(this.#clock.now()).toString(16);
    const plain = `${at}.${Buffer.from(this.#chance.bytes(12)).toString('hex')}`;
    const nonce = `${plain}.${this.#proof(plain)}`;
    this.#used.set(nonce, new Set(), millis(this.#clock.now() + NONCE_MILLIS));
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
    const plain = nonce.slice(0, nonce.lastIndexOf('.'));
    if (!same(nonce.slice(plain.length + 1), this.#proof(plain))) return 'stale';
    const asked = md5(`${secret}:${nonce}:${count}:${of('cnonce')}:auth:${md5(`${method}:${target}`)}`);
    if (!same(of('response').toLowerCase(), asked)) return 'wrong';
    const used = this.#used.get(nonce, this.#clock.now());
    if (used === undefined || used.has(count) || used.size >= NONCE_USES) return 'stale';
    used.add(count);
    return 'right';
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
