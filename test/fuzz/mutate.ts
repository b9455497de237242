import type { Dice } from '../sim/dice.ts';

/** Bytes that mean something to parsers. */
const MARKS = latin1('\0\t\n\v\r "#%\'()*+,-./0129:;<=>@AZ[\\]_az{|}\x7f\x80\x85\xa0\xad\xc3\xff');
/** No input grows beyond this. */
export const MOST_INPUT = 70_000;

/** @param others  inputs to take parts from */
export function mutate(input: Buffer, dice: Dice, words: readonly string[], others: readonly Buffer[]): Buffer {
  let bytes = input;
  for (let count = dice.scale(1, 12); count > 0; count--) bytes = once(bytes, dice, words, others);
  return bytes.subarray(0, MOST_INPUT);
}

function once(bytes: Buffer, dice: Dice, words: readonly string[], others: readonly Buffer[]): Buffer {
  const at = dice.between(0, bytes.length);
  const size = dice.scale(1, Math.max(1, bytes.length - at));
  const put = (part: Buffer, instead = 0): Buffer =>
    Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + instead)]);
  switch (dice.weighted({ bit: 3, byte: 3, insert: 3, remove: 3, repeat: 2, long: 1, word: 4, splice: 2, swap: 2 })) {
    case 'bit': {
      if (at === bytes.length) return bytes;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << dice.between(0, 7));
      return changed;
    }
    case 'byte':
      return put(Buffer.of(dice.between(0, 255)), 1);
    case 'insert':
      return put(Buffer.of(MARKS[dice.between(0, MARKS.length - 1)] ?? 0));
    case 'remove':
      return put(Buffer.alloc(0), Math.min(size, 64));
    case 'repeat':
      return put(bytes.subarray(at, at + size));
    case 'long': {
      const part = bytes.subarray(at, at + Math.min(size, 8));
      return put(Buffer.alloc(dice.scale(100, 20_000), part.length === 0 ? 'A' : part));
    }
    case 'word':
      return words.length === 0 ? bytes : put(latin1(dice.of(words)), dice.happens(0.3) ? 1 : 0);
    case 'splice': {
      const other = others.length === 0 ? bytes : dice.of(others);
      const from = dice.between(0, other.length);
      return put(other.subarray(from, from + dice.scale(1, 200)), dice.happens(0.5) ? bytes.length : 0);
    }
    case 'swap': {
      const part = bytes.subarray(at, at + Math.min(size, 32));
      const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + part.length)]);
      const to = dice.between(0, rest.length);
      return Buffer.concat([rest.subarray(0, to), part, rest.subarray(to)]);
    }
  }
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
