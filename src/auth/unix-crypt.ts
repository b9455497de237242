import { createHash } from 'node:crypto';
import { desCrypt } from './des-crypt.ts';

/** As crypt(3) has them; a stored password with more would hold the server up for seconds. */
const MOST_ROUNDS = 1_000_000;
/** Bytes of a password, as in libxcrypt: each round takes as long as the password is. */
const MOST_PASSWORD = 512;
/** Blocks of the hash, for each password in a round, between two turns of the loop: about two milliseconds. */
const BLOCKS_AT_ONCE = 1000;
const BLOCK = 64;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * crypt(3): DES, `$1$` (MD5), `$5$` (SHA-256) and `$6$` (SHA-512).
 *
 * @param stored  whose method and salt are taken
 * @returns what the password becomes; undefined for other methods
 */
export async function unixCrypt(
  password: string,
  stored: string,
  turn: () => Promise<void>,
): Promise<string | undefined> {
  // No hash is one of such a password: what is said of it fits nothing.
  if (Buffer.byteLength(password) > MOST_PASSWORD) return '';
  const md5 = /^\$1\$([^$]{0,8})\$/.exec(stored);
  if (md5 !== null) return md5Crypt(password, md5[1] ?? '', turn);
  const sha = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$/.exec(stored);
  if (sha !== null) return shaCrypt(sha[1] === '5' ? SHA256 : SHA512, password, sha[3] ?? '', sha[2], turn);
  return /^[./0-9A-Za-z]{13}$/.test(stored) ? desCrypt(password, stored.slice(0, 2)) : undefined;
}

interface Sha {
  readonly name: string;
  readonly algorithm: string;
  /** Bytes in the order in which they are written, three for four letters. */
  readonly order: readonly number[];
}

const SHA256: Sha = {
  name: '5',
  algorithm: 'sha256',
  order: [
    0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28, 8, 9, 19, 29, -1,
    31, 30,
  ],
};
const SHA512: Sha = {
  name: '6',
  algorithm: 'sha512',
  order: [
    0, 21, 42, 22, 43, 1, 44, 2, 23, 3, 24, 45, 25, 46, 4, 47, 5, 26, 6, 27, 48, 28, 49, 7, 50, 8, 29, 9, 30, 51, 31,
    52, 10, 53, 11, 32, 12, 33, 54, 34, 55, 13, 56, 14, 35, 15, 36, 57, 37, 58, 16, 59, 17, 38, 18, 39, 60, 40, 61, 19,
    62, 20, 41, -1, -1, 63,
  ],
};

/** Unix crypt using SHA-256 and SHA-512 (Drepper), version 0.4. */
async function shaCrypt(
  { name, algorithm, order }: Sha,
  text: string,
  salt: string,
  rounds: string | undefined,
  turn: () => Promise<void>,
): Promise<string | undefined> {
  const hash = (...parts: readonly Uint8Array[]): Buffer => {
    const made = createHash(algorithm);
    for (const part of parts) made.update(part);
    return made.digest();
  };
  const count = rounds === undefined ? 5000 : Math.max(1000, Number(rounds));
  if (count > MOST_ROUNDS) return undefined;
  const password = Buffer.from(text);
  const grain = Buffer.from(salt);
  const other = hash(password, grain, password);
  const first: Uint8Array[] = [password, grain, stretched(other, password.length)];
  for (let left = password.length; left > 0; left >>= 1) first.push((left & 1) === 1 ? other : password);
  let digest = hash(...first);
  const p = stretched(hash(...Array.from({ length: password.length }, () => password)), password.length);
  const s = stretched(hash(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => grain)), grain.length);
  const atOnce = Math.ceil(BLOCKS_AT_ONCE / (1 + password.length / BLOCK));
  for (let round = 0; round < count; round++) {
    if (round % atOnce === atOnce - 1) await turn();
    const parts: Uint8Array[] = [(round & 1) === 1 ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push((round & 1) === 1 ? digest : p);
    digest = hash(...parts);
  }
  const written = rounds === undefined ? '' : `rounds=${count}$`;
  return `$${name}$${written}${salt}$${letters(digest, order)}`;
}

const MD5_ORDER = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, -1, -1, 11];

/** The MD5 method of FreeBSD (Kamp). */
async function md5Crypt(text: string, salt: string, turn: () => Promise<void>): Promise<string> {
  const hash = (...parts: readonly Uint8Array[]): Buffer => {
    const made = createHash('md5');
    for (const part of parts) made.update(part);
    return made.digest();
  };
  const password = Buffer.from(text);
  const grain = Buffer.from(salt);
  const first: Uint8Array[] = [
    password,
    Buffer.from('$1$'),
    grain,
    stretched(hash(password, grain, password), password.length),
  ];
  for (let left = password.length; left > 0; left >>= 1)
    first.push((left & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  let digest = hash(...first);
  for (let round = 0; round < 1000; round++) {
    const parts: Uint8Array[] = [(round & 1) === 1 ? password : digest];
    if (round % 3 !== 0) parts.push(grain);
    if (round % 7 !== 0) parts.push(password);
    parts.push((round & 1) === 1 ? digest : password);
    digest = hash(...parts);
  }
  await turn();
  return `$1$${salt}$${letters(digest, MD5_ORDER)}`;
}

/** The bytes again and again, up to a length. */
const stretched = (bytes: Uint8Array, length: number): Buffer => Buffer.alloc(length, length === 0 ? 0 : bytes);

/** Six bits a letter, the last of three bytes first; -1 is a byte that is not there. */
function letters(digest: Uint8Array, order: readonly number[]): string {
  let text = '';
  for (let at = 0; at < order.length; at += 3) {
    const group = [0, 1, 2].map((of) => order[at + of] ?? -1);
    let bits = 0;
    for (const index of group) bits = bits * 256 + (index === -1 ? 0 : (digest[index] ?? 0));
    const absent = group.filter((index) => index === -1).length;
    for (let letter = 0; letter < 4 - absent; letter++) {
      text += ALPHABET[bits % 64] ?? '';
      bits = Math.floor(bits / 64);
    }
  }
  return text;
}
