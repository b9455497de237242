import {
  type SimChance,
  type SimClock,
  SimDisk,
  SimDnsServer,
  SimNetwork,
  type SimZone,
} from '../../src/world/sim/index.ts';
import { configurationText, resolvConfText } from './configuration.ts';
import { Dice } from './dice.ts';
import type { Journal } from './journal.ts';
import { Exchanger } from './peers/exchanger.ts';
import type { SessionHearer } from './peers/exchanger-session.ts';
import { CONFIGURATION, NAME_SERVER } from './places.ts';
import type { Plan } from './plan.ts';

/** Seconds that answers of the name server live. */
const TTL = 30;

/** Everything outside the server: time, network, its disk, a name server, mail exchangers. */
export class Town {
  readonly clock: SimClock;
  readonly chance: SimChance;
  readonly dice: Dice;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly names: SimDnsServer;
  readonly exchangers: readonly Exchanger[];
  readonly #journal: Journal;

  constructor(clock: SimClock, chance: SimChance, plan: Plan, journal: Journal, hearer: SessionHearer) {
    this.clock = clock;
    this.chance = chance;
    this.dice = new Dice(chance.fork());
    this.#journal = journal;
    this.network = new SimNetwork(clock, chance.fork(), plan.network);
    this.disk = new SimDisk(clock, chance.fork(), plan.disk);
    this.disk.put(CONFIGURATION, configurationText(plan));
    this.disk.put('/etc/resolv.conf', resolvConfText);
    this.names = new SimDnsServer(this.network, NAME_SERVER, zonesOf(plan));
    this.names.ttl = TTL;
    this.names.negativeTtl = TTL;
    const hosts = new Map(plan.domains.flatMap((domain) => domain.hosts).map((host) => [host.ip, host.name]));
    this.exchangers = [...hosts].map(([ip, name]) => new Exchanger(this.network, this.dice.fork(), name, ip, hearer));
  }

  async open(): Promise<void> {
    for (const exchanger of this.exchangers) await exchanger.open();
  }

  note(who: string, what: string): void {
    this.#journal.note(who, what);
  }
}

function zonesOf(plan: Plan): Record<string, SimZone> {
  const zones: Record<string, SimZone> = {};
  for (const { name, hosts, implicit } of plan.domains) {
    if (!implicit) zones[name] = { MX: hosts.map((host) => `${host.preference} ${host.name}`) };
    for (const host of hosts) zones[host.name] = { ...zones[host.name], A: [host.ip] };
  }
  return zones;
}
