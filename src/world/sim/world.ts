import type { World } from '../world.ts';
import { SimChance } from './chance.ts';
import { SimClock } from './clock.ts';
import { SimDisk } from './disk.ts';
import { simHashing } from './hashing.ts';
import { SimKeyValues } from './key-values.ts';
import { SimNetwork } from './network.ts';
import { SimStores } from './stores.ts';
import { SimTls } from './tls.ts';
import { SimWeb } from './web.ts';
import type { WireSettings } from './wire.ts';

export interface SimWorld extends World {
  readonly clock: SimClock;
  readonly chance: SimChance;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly web: SimWeb;
  readonly tls: SimTls;
  readonly stores: SimStores;
  readonly keyValues: SimKeyValues;
}

/** Network settings, and the disk's; `diskLatencyMillis` is the disk's own delay. */
export interface SimWorldSettings extends Partial<WireSettings> {
  readonly capacity?: number;
  readonly diskLatencyMillis?: number;
}

/** A world that one number decides: the same seed and the same calls give the same events in the same order. */
export function simWorld(seed = 1, settings: SimWorldSettings = {}): SimWorld {
  const clock = new SimClock();
  const chance = new SimChance(seed);
  const { capacity = Number.POSITIVE_INFINITY, diskLatencyMillis = 0, ...wires } = settings;
  const network = new SimNetwork(clock, chance.fork(), wires);
  return {
    clock,
    chance,
    network,
    disk: new SimDisk(clock, chance.fork(), { capacity, latencyMillis: diskLatencyMillis }),
    web: new SimWeb(clock),
    hashing: simHashing,
    tls: new SimTls(),
    stores: new SimStores(clock),
    keyValues: new SimKeyValues(),
  };
}

export function simChance(seed: number): SimChance {
  return new SimChance(seed);
}

/** The same world after a power cut: connections are reset, and the disk has what a crash leaves. */
export function afterPowerCut(world: SimWorld): SimWorld {
  world.network.crash();
  return { ...world, disk: world.disk.crash(), keyValues: world.keyValues.crash() };
}
