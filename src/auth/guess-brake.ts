import { addressBytes, Lru, type Millis, millis } from '../base/index.ts';

/** Addresses and users that are remembered at once; one more, and that which was quiet longest is forgotten. */
const MOST_REMEMBERED = 10_000;
/** Failures that cost nothing: people mistype. */
const FREE = 3;
const LONGEST_MILLIS = 20_000;
/** In this time one failure is forgotten. */
const FORGET_MILLIS = 60_000;
/** No count stands longer than this without another failure. */
const MOST_COUNTED = 60;

interface Count {
  readonly failures: number;
  readonly at: Millis;
}

/**
 * Makes guessing passwords slow, however many connections it comes over: from the fourth failure of an address or for a
 * user on, answers are held back, 1 s, 2 s, 4 s and so on up to 20 s, the right ones with the wrong ones, since else
 * their time would tell. IPv6 addresses count by their /64, which is what one client has.
 */
export class GuessBrake {
  readonly #addresses = new Lru<string, Count>(MOST_REMEMBERED);
  readonly #users = new Lru<string, Count>(MOST_REMEMBERED);

  /** @param user  undefined when it did not come to a name */
  failed(ip: string, user: string | undefined, now: Millis): void {
    count(this.#addresses, networkOf(ip), now);
    if (user !== undefined) count(this.#users, keyOf(user), now);
  }

  /** The user is there; the address stays as it is, else one account would do to guess others. */
  succeeded(user: string): void {
    this.#users.delete(keyOf(user));
  }

  /** How long the next answer is to be held back. */
  delay(ip: string, user: string | undefined, now: Millis): Millis {
    const failures = Math.max(
      left(this.#addresses.get(networkOf(ip)), now),
      user === undefined ? 0 : left(this.#users.get(keyOf(user)), now),
    );
    return millis(failures <= FREE ? 0 : Math.min(LONGEST_MILLIS, 1000 * 2 ** (failures - FREE - 1)));
  }
}

function count(counts: Lru<string, Count>, key: string, now: Millis): void {
  const failures = Math.min(MOST_COUNTED, left(counts.get(key), now) + 1);
  counts.set(key, { failures, at: now }, millis(now + failures * FORGET_MILLIS));
}

const left = (counted: Count | undefined, now: Millis): number =>
  counted === undefined ? 0 : Math.max(0, counted.failures - Math.floor((now - counted.at) / FORGET_MILLIS));

/** A name can be as long as a response. */
const keyOf = (user: string): string => user.toLowerCase().slice(0, 255);

/** What one client has: an address, of IPv6 a /64. */
export function networkOf(ip: string): string {
  return ip.includes(':') ? Buffer.from(addressBytes(ip).subarray(0, 8)).toString('hex') : ip;
}
