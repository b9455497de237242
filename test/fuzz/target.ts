import { crc32 } from 'node:zlib';
import { SimChance } from '../../src/world/sim/index.ts';
import { Dice } from '../sim/dice.ts';

/** Something that takes bytes of strangers. */
export interface FuzzTarget {
  readonly name: string;
  /** What it holds to, in one line. */
  readonly about: string;
  /** An input that is mostly in order, so that mutations reach what lies behind the first check. */
  generate(dice: Dice): Buffer;
  /** Words that mutations put in. */
  readonly words: readonly string[];
  /**
   * Tries an input.
   *
   * @returns what rule it broke; undefined: none. What it throws is a finding too
   */
  check(input: Buffer): string | undefined | Promise<string | undefined>;
}

/** The same for the same input: a finding is replayed from its bytes alone. */
export const diceOf = (input: Uint8Array): Dice => new Dice(new SimChance(crc32(input)));

export const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A part of the input as a socket might give it. */
export type Cut = (bytes: Buffer) => Iterable<Buffer>;

/** The three ways in which every stream is fed. */
export function cutsFor(input: Buffer): readonly Cut[] {
  const dice = diceOf(input);
  return [
    (bytes) => [bytes],
    function* single(bytes) {
      for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
    },
    function* random(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const size = dice.happens(0.1) ? 0 : dice.scale(1, 3000);
        yield bytes.subarray(at, at + size);
        at += size;
      }
    },
  ];
}

/** @param feed  what comes of an input that is cut so, as text @returns how two of the three differ */
export function sameWhateverTheCut(input: Buffer, feed: (cut: Cut) => string): string | undefined {
  const [whole, bytes, random] = cutsFor(input).map(feed);
  if (whole !== bytes) return difference('byte by byte', whole ?? '', bytes ?? '');
  return whole === random ? undefined : difference('cut at random', whole ?? '', random ?? '');
}

function difference(how: string, whole: string, other: string): string {
  let at = 0;
  while (whole[at] === other[at]) at++;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
  return `${how} it differs at ${at}: ${around(other)} and not ${around(whole)}`;
}
