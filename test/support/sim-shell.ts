import type { Shell } from '../../src/programs/index.ts';
import type { SimProcess, SimWorld } from '../../src/world/sim/index.ts';

/** What the entry hands to a program that needs no terminal. */
export const simShell = (world: SimWorld, process: SimProcess): Shell => ({
  world,
  process,
  programs: {
    pipe: () => {
      throw new Error('this program starts no other');
    },
  },
  home: '/',
  terminal: () => {
    throw new Error('this program needs no terminal');
  },
});
