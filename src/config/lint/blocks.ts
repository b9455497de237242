import { addressText, type Cidr, contains } from '../../base/index.ts';

/** @returns whether each address of `block` is in one of `others`, of which none needs to hold it alone */
export function covered(block: Cidr, others: readonly Cidr[]): boolean {
  const address = addressText(block.bytes);
  const near = others.filter((other) => other.family === block.family);
  if (near.some((other) => other.prefix <= block.prefix && contains(other, address))) return true;
  const within = near.filter((other) => other.prefix > block.prefix && contains(block, addressText(other.bytes)));
  if (within.length === 0 || block.prefix >= block.bytes.length * 8) return false;
  const prefix = block.prefix + 1;
  const upper = block.bytes.slice();
  const byte = block.prefix >> 3;
  upper[byte] = (upper[byte] ?? 0) | (0x80 >> (block.prefix & 7));
  return covered({ ...block, prefix }, within) && covered({ ...block, prefix, bytes: upper }, within);
}
