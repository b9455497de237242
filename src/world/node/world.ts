import type { World } from '../world.ts';
import { NodeChance } from './chance.ts';
import { NodeClock } from './clock.ts';
import { NodeDisk } from './disk.ts';
import { nodeHashing } from './hashing.ts';
import { NodeKeyValues } from './key-values.ts';
import { NodeNetwork } from './network.ts';
import { nodeStores } from './stores/index.ts';
import { NodeTls } from './tls.ts';
import { NodeWeb } from './web.ts';

/** The machine as it is. One for the whole program: timers and random numbers share what they are drawn from. */
export function nodeWorld(): World {
  const clock = new NodeClock();
  const chance = new NodeChance();
  return {
    clock,
    chance,
    network: new NodeNetwork(clock),
    disk: new NodeDisk(chance),
    web: new NodeWeb(clock),
    hashing: nodeHashing,
    tls: new NodeTls(clock),
    stores: nodeStores,
    keyValues: new NodeKeyValues(),
  };
}
