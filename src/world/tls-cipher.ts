/** Key lengths by what a cipher's name holds: the bits of the algorithm, and those of them that are secret. */
const LENGTHS: readonly (readonly [RegExp, number, number])[] = [
  [/NULL/, 0, 0],
  [/(?:AES|CAMELLIA|ARIA)_?256|CHACHA20/, 256, 256],
  [/(?:AES|CAMELLIA|ARIA)_?128|RC4|SEED|IDEA/, 128, 128],
  // Three keys of 56 bits, of which a meeting in the middle leaves 112.
  [/3DES|DES[-_]CBC3/, 168, 112],
  [/DES/, 56, 56],
];

/**
 * Node tells a cipher's name and not its bits.
 *
 * @param name  in OpenSSL's or in the RFC's spelling
 * @returns zeros for a name that says nothing
 */
export function cipherBits(name: string): { readonly bits: number; readonly secretBits: number } {
  for (const [pattern, bits, secretBits] of LENGTHS) if (pattern.test(name)) return { bits, secretBits };
  return { bits: 0, secretBits: 0 };
}
