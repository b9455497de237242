/**
 * The server as `impetus start` builds it, over a world in which it can die: `node entry.ts ORDERS`, where ORDERS is the
 * JSON of `Orders`. Says `ready` when mail can come in.
 */
import { loadConfiguration } from '../../src/config/index.ts';
import { buildServer, declaredOptions, moduleNames } from '../../src/main/index.ts';
import { nodeProcess, nodeWorld } from '../../src/world/node/index.ts';
import { type Lie, MortalDisk } from './mortal-disk.ts';
import { MortalNetwork } from './mortal-network.ts';
import type { Plan } from './plan.ts';
import { Witness } from './witness.ts';

export interface Orders {
  readonly configuration: string;
  /** Where the witness writes. */
  readonly evidence: string;
  readonly plan: Plan;
  readonly lie?: Lie;
  /** Small ones, so that segments change and are compacted within seconds. */
  readonly segmentBytes: number;
  readonly compactionSettleMillis: number;
}

const PATIENCE_MILLIS = 10_000;

const me = nodeProcess();
const orders = JSON.parse(me.arguments[0] ?? '') as Orders;
const real = nodeWorld();
const witness = new Witness(orders.evidence, orders.plan);
const world = {
  ...real,
  disk: new MortalDisk(real.disk, witness, orders.lie),
  network: new MortalNetwork(real.network, witness),
};
const configuration = await loadConfiguration({
  disk: world.disk,
  clock: world.clock,
  file: orders.configuration,
  searchPath: [],
  declared: declaredOptions,
  modules: moduleNames,
});
const { segmentBytes, compactionSettleMillis } = orders;
const server = await buildServer({
  world,
  process: me,
  configuration,
  spool: { segmentBytes, compactionSettleMillis },
});
const stopped = new Promise<void>((resolve) => {
  me.onSignal('SIGTERM', resolve);
});
me.say('ready\n');
await stopped;
await server.close(PATIENCE_MILLIS);
me.exit(0);
