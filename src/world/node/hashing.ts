import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { Hashing } from '../world.ts';

const derive = promisify(pbkdf2);

/** On the threads of libuv: the loop goes on meanwhile. */
export const nodeHashing: Hashing = {
  pbkdf2: (password, salt, iterations) => derive(password, salt, iterations, 32, 'sha256'),
};
