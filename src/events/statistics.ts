import type { Millis, Seconds } from '../base/index.ts';
import { inSeconds, millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import type { Events } from './events.ts';

/** What has happened since the last reset, counted per recipient. */
export interface Counters {
  readonly received: number;
  readonly delivered: number;
  /** Permanent failures. */
  readonly failed: number;
  /** Transient failures, each attempt counted. */
  readonly transient: number;
}

export interface ServerCounters extends Counters {
  /** Refusals given by reception. */
  readonly rejected: number;
}

export interface BindingCounters extends Counters {
  readonly binding: string;
  readonly group: string;
}

/** Per second since the last reset. */
export interface Rates {
  readonly reception: number;
  /** Deliveries and permanent failures together, as Momentum counts them. */
  readonly delivery: number;
}

export interface ServerRates extends Rates {
  readonly rejection: number;
  /** Rejections of all that was offered, 0 to 100. */
  readonly rejectionPercentage: number;
}

/** The numbers behind `summary` and `binding summary` (spec/logs-and-metrics 14, listeners-and-console 17). */
export interface Statistics extends Disposable {
  readonly server: ServerCounters;
  readonly serverRates: ServerRates;
  /** Undefined when nothing happened on that binding since the reset. */
  binding(name: string): BindingCounters | undefined;
  /** Those on which something happened, in the order they were first seen. */
  bindings(): Iterable<BindingCounters>;
  rates(of: Counters): Rates;
  /** Wall clock, milliseconds since the epoch. */
  readonly lastReset: Millis;
  readonly sinceReset: Seconds;
  /** Since the statistics were made, that is since the start of the server; a reset leaves it. */
  readonly uptime: Seconds;
  reset(): void;
}

export function statistics(events: Events, clock: Clock): Statistics {
  const started = clock.now();
  let resetAt = started;
  let lastReset = clock.date();
  let server = fresh('', '');
  let rejected = 0;
  const byBinding = new Map<string, Tally>();

  // Bindings come from the configuration, so the map has a limit.
  const of = (binding: string, group: string): Tally => {
    const found = byBinding.get(binding);
    if (found !== undefined) return found;
    const made = fresh(binding, group);
    byBinding.set(binding, made);
    return made;
  };

  const subscription = events.subscribe(['reception', 'delivery', 'transient', 'permanent', 'rejection'], (event) => {
    if (event.kind === 'rejection') {
      rejected += 1;
      return;
    }
    const binding = of(event.binding, event.bindingGroup);
    switch (event.kind) {
      case 'reception':
        server.received += 1;
        binding.received += 1;
        return;
      case 'delivery':
        server.delivered += 1;
        binding.delivered += 1;
        return;
      case 'transient':
        server.transient += 1;
        binding.transient += 1;
        return;
      case 'permanent':
        server.failed += 1;
        binding.failed += 1;
        return;
    }
  });

  const sinceReset = (): Seconds => inSeconds(millis(clock.now() - resetAt));
  /** In the first second a rate is what there was so far, not a wild extrapolation. */
  const perSecond = (count: number): number => count / Math.max(1, sinceReset());
  const rates = (counters: Counters): Rates => ({
    reception: perSecond(counters.received),
    delivery: perSecond(counters.delivered + counters.failed),
  });

  return {
    get server() {
      const { received, delivered, failed, transient } = server;
      return { received, delivered, failed, transient, rejected };
    },
    get serverRates() {
      const offered = rejected + server.received;
      return {
        ...rates(server),
        rejection: perSecond(rejected),
        rejectionPercentage: offered === 0 ? 0 : (rejected / offered) * 100,
      };
    },
    binding: (name) => byBinding.get(name),
    bindings: () => byBinding.values(),
    rates,
    get lastReset() {
      return lastReset;
    },
    get sinceReset() {
      return sinceReset();
    },
    get uptime() {
      return inSeconds(millis(clock.now() - started));
    },
    reset() {
      server = fresh('', '');
      rejected = 0;
      byBinding.clear();
      resetAt = clock.now();
      lastReset = clock.date();
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
    },
  };
}

type Tally = { -readonly [Name in keyof BindingCounters]: BindingCounters[Name] };

const fresh = (binding: string, group: string): Tally => ({
  binding,
  group,
  received: 0,
  delivered: 0,
  failed: 0,
  transient: 0,
});
