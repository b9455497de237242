import type { SimChance } from '../../src/world/sim/index.ts';
import { Dice } from './dice.ts';
import { SENDERS } from './places.ts';

export interface HostPlan {
  readonly name: string;
  readonly ip: string;
  readonly preference: number;
}

export interface DomainPlan {
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  /** Options of its stanza, as in the file. */
  readonly options: Readonly<Record<string, string>>;
  /** Mail exchangers that other domains have too. */
  readonly shared: boolean;
  /** No MX record: the domain is its own exchanger. */
  readonly implicit: boolean;
}

/** What may go wrong in this seed; each kind of trouble is on or off, so that seeds differ in mixture (swarm testing). */
export interface Troubles {
  readonly peers: 'good' | 'moody' | 'evil';
  readonly sources: boolean;
  readonly network: boolean;
  readonly names: boolean;
  readonly diskFaults: boolean;
  readonly diskFull: boolean;
  readonly diskSlow: boolean;
  readonly kills: boolean;
  readonly powerCuts: boolean;
  readonly operator: boolean;
  readonly restarts: boolean;
}

/** All that is decided before a simulation begins. */
export interface Plan {
  readonly troubles: Troubles;
  readonly network: { readonly latencyMillis: number | readonly [number, number]; readonly oddChunks: boolean };
  readonly disk: {
    readonly latencyMillis: number | readonly [number, number];
    readonly shortMillis: number | readonly [number, number];
  };
  /** Sizes of the spool: small ones make segments change and be compacted. */
  readonly segmentBytes: number;
  readonly compactionSettleMillis: number;
  /** Where mail goes to; the last one is where the senders live and bounces go. */
  readonly domains: readonly DomainPlan[];
  /** Options of single MX hosts. */
  readonly hosts: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** `force_fsync` */
  readonly syncs: boolean;
  /** Seconds that a silent client may stay. */
  readonly idleTime: number;
  /** Global options, as in the file. */
  readonly options: Readonly<Record<string, string>>;
  readonly largest: number;
  readonly sessions: number;
  readonly messages: number;
  /** Milliseconds in which mail comes in and things go wrong. */
  readonly duration: number;
}

/** @returns the plan of one seed */
export function planOf(chance: SimChance): Plan {
  const dice = new Dice(chance);
  const calm = dice.happens(0.08);
  const troubles = calm ? CALM : troublesOf(dice);
  // Without syncs a power cut may lose anything; a killed process must still lose nothing.
  const syncs = troubles.powerCuts || dice.happens(0.8);
  const threshold = dice.scale(1500, 20_000);
  const domains = domainsOf(dice);
  const duration = calm ? dice.between(20, 120) * 1000 : dice.scale(60, 900) * 1000;
  return {
    troubles,
    network: {
      latencyMillis: dice.happens(0.2) ? 1 : [dice.within(0.1, 2), dice.within(2, dice.happens(0.2) ? 400 : 60)],
      oddChunks: dice.happens(0.6),
    },
    disk: {
      latencyMillis: dice.happens(0.1) ? 0 : [0.1, dice.scale(1, 30)],
      shortMillis: dice.happens(0.5) ? 0 : [0.05, dice.scale(1, 5)],
    },
    segmentBytes: dice.happens(0.6) ? dice.scale(8_000, 200_000) : 64 * 1024 * 1024,
    compactionSettleMillis: dice.happens(0.5) ? 30_000 : dice.between(0, 2000),
    domains,
    hosts: hostsOf(dice, domains),
    idleTime: dice.between(20, 120),
    syncs,
    options: { ...optionsOf(dice, threshold), ...(syncs ? {} : { Force_Fsync: 'false' }) },
    largest: threshold * 2,
    sessions: dice.between(3, 30),
    messages: dice.between(1, 8),
    duration,
  };
}

const CALM: Troubles = {
  peers: 'good',
  sources: false,
  network: false,
  names: false,
  diskFaults: false,
  diskFull: false,
  diskSlow: false,
  kills: false,
  powerCuts: false,
  operator: false,
  restarts: false,
};

function troublesOf(dice: Dice): Troubles {
  const on = (): boolean => dice.happens(0.45);
  return {
    peers: dice.weighted({ good: 1, moody: 3, evil: 2 }),
    sources: on(),
    network: on(),
    names: on(),
    diskFaults: on(),
    diskFull: dice.happens(0.2),
    diskSlow: on(),
    kills: on(),
    powerCuts: on(),
    operator: on(),
    restarts: dice.happens(0.3),
  };
}

function domainsOf(dice: Dice): readonly DomainPlan[] {
  const count = dice.between(2, 6);
  const common: HostPlan = { name: 'mx.common.test', ip: '10.9.0.1', preference: 10 };
  const senders: DomainPlan = {
    name: SENDERS,
    hosts: [{ name: `mx.${SENDERS}`, ip: '10.8.0.1', preference: 10 }],
    options: {},
    shared: false,
    implicit: false,
  };
  const others = Array.from({ length: count }, (_, index): DomainPlan => {
    const name = `d${index}.test`;
    const shared = dice.happens(0.25);
    const implicit = !shared && dice.happens(0.15);
    const own = Array.from(
      { length: implicit ? 1 : dice.between(1, 3) },
      (_, at): HostPlan => ({
        name: implicit ? name : `mx${at}.${name}`,
        ip: `10.${index + 1}.0.${at + 1}`,
        preference: dice.happens(0.5) ? 10 : 10 * (at + 1),
      }),
    );
    return { name, hosts: shared ? [common] : own, options: domainOptions(dice), shared, implicit };
  });
  return [...others, senders];
}

function domainOptions(dice: Dice): Readonly<Record<string, string>> {
  const options: Record<string, string> = {};
  if (dice.happens(0.5)) options.Max_Outbound_Connections = String(dice.between(1, 5));
  if (dice.happens(0.3)) options.Outbound_Throttle_Messages = `"${dice.between(1, 10)}/${dice.of([1, 5, 20])}"`;
  if (dice.happens(0.2)) options.Outbound_Throttle_Connections = `"${dice.between(1, 5)}/${dice.of([1, 5, 20])}"`;
  if (dice.happens(0.3)) options.Max_Deliveries_Per_Connection = String(dice.between(1, 6));
  if (dice.happens(0.2)) options.Retry_Interval = String(dice.between(5, 60));
  if (dice.happens(0.2)) options.Max_Recipients_Per_Batch = String(dice.between(1, 4));
  if (dice.happens(0.2)) options.Generate_Bounces = 'false';
  if (dice.happens(0.1)) options.Delivery_Method = 'SMTP';
  return options;
}

function hostsOf(dice: Dice, domains: readonly DomainPlan[]): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const hosts = new Map<string, Readonly<Record<string, string>>>();
  for (const host of domains.flatMap((domain) => domain.hosts)) {
    if (hosts.has(host.name) || !dice.happens(0.25)) continue;
    hosts.set(host.name, {
      ...(dice.happens(0.7) ? { Max_Outbound_Connections: String(dice.between(1, 3)) } : {}),
      ...(dice.happens(0.4) ? { Outbound_Throttle_Messages: `"${dice.between(2, 10)}/${dice.of([1, 5, 10])}"` } : {}),
    });
  }
  return hosts;
}

function optionsOf(dice: Dice, threshold: number): Readonly<Record<string, string>> {
  const retry = dice.scale(5, 60);
  const options: Record<string, string> = {
    Retry_Interval: String(retry),
    Max_Retry_Interval: String(retry * dice.of([1, 2, 4, 8])),
    Message_Expiration: String(dice.scale(100, 1200)),
    Max_Retries: dice.weighted({ auto: 3, none: 2, '2': 1, '8': 1 }),
    Large_Message_Threshold: String(threshold),
    Host_Failure_Retry: String(dice.scale(2, 60)),
    Connect_Timeout: String(dice.between(5, 30)),
    EHLO_Timeout: String(dice.between(5, 30)),
    Mailfrom_Timeout: String(dice.between(5, 30)),
    Rcptto_Timeout: String(dice.between(5, 30)),
    Body_Timeout: String(dice.between(10, 60)),
    Rset_Timeout: String(dice.between(5, 20)),
    Idle_Timeout: String(dice.between(1, 10)),
    Mx_Failures_To_Delay: String(dice.of([0, 2, 10, 50])),
    Connect_Timeout_To_Delay: String(dice.of([0, 60, 900])),
    Dns_Failures_To_Purge: String(dice.of([0, 3, 10])),
    Mx_Failures_Fallback_To_A: String(dice.of([-1, 0, 3])),
    Bounces_Inline_Original: dice.of(['none', 'headers', 'all']),
    Spool_Min_Free: String(dice.scale(20_000, 200_000)),
  };
  if (dice.happens(0.5)) options.Max_Outbound_Connections = String(dice.between(1, 8));
  if (dice.happens(0.4)) options.Server_Max_Outbound_Connections = String(dice.between(2, 12));
  if (dice.happens(0.3)) options.Max_Recipients_Per_Batch = String(dice.between(1, 10));
  if (dice.happens(0.3)) options.Max_Deliveries_Per_Connection = String(dice.between(1, 10));
  if (dice.happens(0.2)) options.Outbound_Throttle_Messages = `"${dice.between(5, 30)}/${dice.of([1, 10])}"`;
  if (dice.happens(0.3)) options.Max_Resident_Messages = String(dice.of([1, 5, 30]));
  if (dice.happens(0.3)) options.Max_Resident_Bytes = String(dice.scale(2_000, 100_000));
  if (dice.happens(0.15)) options.Pipeline_Out = 'false';
  if (dice.happens(0.15)) options.Never_Attempt_Expired_Messages = 'true';
  if (dice.happens(0.15)) options.Soft_Bounce_Drain_Rate = String(dice.between(1, 3));
  if (dice.happens(0.2)) options.Connection_Allocation_Aggressiveness = 'high';
  return options;
}
