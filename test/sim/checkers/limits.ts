import { bindingName, type Domain } from '../../../src/base/index.ts';
import type { Generation, Option, ThrottleValue, View } from '../../../src/config/index.ts';
import {
  maxDeliveriesPerConnection,
  maxOutboundConnections,
  outboundThrottleConnections,
  outboundThrottleMessages,
  serverMaxOutboundConnections,
} from '../../../src/shaping/index.ts';
import type { ConnectionWatch } from '../../../src/world/sim/index.ts';
import type { MailCount } from '../peers/exchanger-session.ts';
import type { Plan } from '../plan.ts';
import type { Violations } from '../violations.ts';

interface LimitsParts {
  readonly now: () => number;
  readonly plan: Plan;
  readonly violations: Violations;
}

/** Taken from a throttle. */
interface Take extends MailCount {
  readonly at: number;
}

/** A value of a throttle from a moment on. */
interface Setting {
  readonly from: number;
  readonly value: ThrottleValue | undefined;
  /** Whose bucket it is; buckets of different periods are different ones. */
  readonly bucket: string;
}

/** No limit on connections or messages is exceeded at any instant, as seen from outside. */
export class Limits {
  readonly #parts: LimitsParts;
  #generation: Generation | undefined;
  readonly #open = new Map<string, number>();
  /** By kind and place: values over the life of the server. */
  #settings = new Map<string, Setting[]>();
  #takes = new Map<string, Take[]>();
  readonly #periods = new Map<string, { readonly period: number; readonly number: number }>();
  /** The sum of the caps of domains that share an exchanger: the highest of this life. */
  #shared = new Map<string, number>();
  #mostDeliveries = new Map<string, number>();

  constructor(parts: LimitsParts) {
    this.#parts = parts;
  }

  /** A configuration holds from now on. */
  configured(generation: Generation): void {
    this.#generation = generation;
    for (const { name } of this.#parts.plan.domains) {
      const view = viewOf(generation, name);
      this.#set(`connections of ${name}`, outboundThrottleConnections, view);
      this.#set(`messages of ${name}`, outboundThrottleMessages, view);
      const most = view.get(maxDeliveriesPerConnection);
      const before = this.#mostDeliveries.get(name);
      // Sessions that stand may have been opened with the old value.
      if (before !== undefined) this.#mostDeliveries.set(name, most === 0 || before === 0 ? 0 : Math.max(most, before));
      else this.#mostDeliveries.set(name, most);
    }
    for (const { hosts } of this.#parts.plan.domains) for (const host of hosts) this.#placesOf(host.ip);
    for (const [host] of this.#parts.plan.hosts)
      this.#set(
        `messages of host ${host}`,
        outboundThrottleMessages,
        generation.host(generation.groupOf(DEFAULT), DEFAULT, host),
      );
  }

  /** The server opens a connection. */
  connected(ip: string): ConnectionWatch {
    const places = this.#placesOf(ip);
    for (const { key, cap } of places) {
      const open = (this.#open.get(key) ?? 0) + 1;
      this.#open.set(key, open);
      if (cap >= 0 && open > cap) this.#parts.violations.report('caps', `${open} connections of ${key}, not ${cap}`);
    }
    const domains = this.#domainsOf(ip);
    if (domains.length === 1) this.#take(`connections of ${domains[0]}`, { at: this.#parts.now(), units: 1 });
    return {
      over: () => {
        for (const { key } of places) this.#open.set(key, (this.#open.get(key) ?? 0) - 1);
      },
    };
  }

  /** MAIL FROM went out to that host; its recipients are counted in what is returned. */
  mail(ip: string, host: string, sentAt: number): MailCount {
    const take: Take = { at: sentAt, units: 0 };
    const domains = this.#domainsOf(ip);
    if (domains.length === 1) this.#take(`messages of ${domains[0]}`, take);
    this.#take(`messages of host ${host}`, take);
    return take;
  }

  sessionOver(domain: string | undefined, delivered: number): void {
    const most = this.#mostDeliveries.get(domain ?? '') ?? 0;
    if (most > 0 && delivered > most)
      this.#parts.violations.report('caps', `${delivered} deliveries over one connection for ${domain}, not ${most}`);
  }

  /** The server is gone: what it had taken is judged, and a new one begins with nothing. */
  died(): void {
    this.judge();
    this.#open.clear();
    this.#settings = new Map();
    this.#takes = new Map();
    this.#shared = new Map();
    this.#generation = undefined;
  }

  /** Throttles, over everything that was taken in this life. */
  judge(): void {
    for (const [bucket, takes] of this.#takes) {
      const sorted = [...takes].sort((one, other) => one.at - other.at);
      for (const [index, take] of sorted.entries()) {
        const setting = this.#settingAt(bucket, take.at);
        if (setting?.value === undefined || sorted[index + 1]?.at === take.at) continue;
        const { count, seconds } = setting.value;
        let sum = 0;
        for (let back = index; back >= 0 && (sorted[back]?.at ?? 0) > take.at - seconds * 1000; back--)
          sum += sorted[back]?.units ?? 0;
        if (sum > count)
          this.#parts.violations.report(
            'throttles',
            `${sum} in ${seconds} s until ${take.at} at ${bucket}, not ${count}`,
          );
      }
    }
  }

  #set(place: string, option: Option<ThrottleValue | undefined>, view: View): void {
    const value = view.get(option);
    const bucket = `${option.name} of ${view.owner(option).key}, ${this.#epoch(option, view, value)}`;
    const settings = this.#settings.get(place) ?? [];
    settings.push({ from: this.#parts.now(), value, bucket });
    this.#settings.set(place, settings);
  }

  /** A bucket is kept as long as its period stays. @returns period and number */
  #epoch(option: Option<ThrottleValue | undefined>, view: View, value: ThrottleValue | undefined): string {
    const key = `${option.name} ${view.owner(option).key}`;
    const period: number = value?.seconds ?? 0;
    const last = this.#periods.get(key) ?? { period, number: 0 };
    const now = { period, number: last.period === period ? last.number : last.number + 1 };
    this.#periods.set(key, now);
    return `${period} s #${now.number}`;
  }

  #take(place: string, take: Take): void {
    const settings = this.#settings.get(place);
    // At the instant of a commit nobody outside can say which value held.
    if (settings?.some((setting, index) => index > 0 && setting.from === take.at)) return;
    const setting = settings?.findLast(({ from }) => from <= take.at);
    if (setting?.value === undefined) return;
    const takes = this.#takes.get(setting.bucket) ?? [];
    takes.push(take);
    this.#takes.set(setting.bucket, takes);
  }

  #settingAt(bucket: string, at: number): Setting | undefined {
    for (const settings of this.#settings.values()) {
      const setting = settings.findLast(({ from }) => from <= at);
      if (setting?.bucket === bucket) return setting;
    }
    return undefined;
  }

  #placesOf(ip: string): readonly { readonly key: string; readonly cap: number }[] {
    const generation = this.#generation;
    if (generation === undefined) return [];
    const domains = this.#domainsOf(ip);
    const caps = domains.map((domain) => viewOf(generation, domain).get(maxOutboundConnections));
    const host = this.#parts.plan.domains.flatMap((domain) => domain.hosts).find((each) => each.ip === ip)?.name;
    const own =
      host === undefined ? -1 : generation.host(generation.groupOf(DEFAULT), DEFAULT, host).get(maxOutboundConnections);
    return [
      { key: 'the server', cap: generation.global.get(serverMaxOutboundConnections) },
      ...(domains.length === 0 ? [] : [{ key: domains.join(' '), cap: this.#sumOf(domains, caps) }]),
      ...(host === undefined ? [] : [{ key: `host ${host}`, cap: own }]),
    ];
  }

  /**
   * Domains that share an exchanger cannot be told apart from outside: together they have the sum. After a cap was made
   * lower one of them may keep what it has while another opens more, so the highest sum counts.
   */
  #sumOf(domains: readonly string[], caps: readonly number[]): number {
    const sum = caps.some((cap) => cap < 0) ? -1 : caps.reduce((all, cap) => all + cap, 0);
    if (domains.length === 1) return sum;
    const key = domains.join(' ');
    const before = this.#shared.get(key) ?? sum;
    const most = sum < 0 || before < 0 ? -1 : Math.max(sum, before);
    this.#shared.set(key, most);
    return most;
  }

  #domainsOf(ip: string): readonly string[] {
    return this.#parts.plan.domains
      .filter((domain) => domain.hosts.some((host) => host.ip === ip))
      .map((domain) => domain.name);
  }
}

const DEFAULT = bindingName('default');

const viewOf = (generation: Generation, domain: string) =>
  generation.sending(generation.groupOf(DEFAULT), DEFAULT, domain as Domain);
