import { type RawValue, ValueError } from '../option.ts';

/**
 * The text of a scalar; an array of one is that scalar.
 *
 * @param expected for the message of the ValueError
 */
export function scalar(raw: RawValue, expected: string): string {
  if (raw.kind === 'text') return raw.text;
  const [only] = raw.kind === 'array' ? raw.items : [];
  if (raw.kind === 'array' && raw.items.length === 1 && only) return only.text;
  throw new ValueError(`${expected}, not ${raw.kind === 'array' ? `an array of ${raw.items.length}` : 'a dictionary'}`);
}

/** The texts of an array; a bare scalar is an array of one. */
export function texts(raw: RawValue, expected: string): readonly string[] {
  switch (raw.kind) {
    case 'text':
      return [raw.text];
    case 'array':
      return raw.items.map((item) => item.text);
    case 'dictionary':
      throw new ValueError(`${expected}, not a dictionary`);
  }
}
