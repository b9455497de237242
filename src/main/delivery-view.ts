import { type Domain, family, literalAddress } from '../base/index.ts';
import type { DeliveryView, Family, OutboundConnection, Route, RouteAddress, RouteHost } from '../console/index.ts';
import { portOf as defaultPortOf, type SmtpDelivery } from '../delivery/index.ts';
import type { QueueRegistry } from '../queue/index.ts';
import type { Clock } from '../world/index.ts';

/** What a console may see of delivery. */
export function deliveryView(delivery: SmtpDelivery, queues: QueueRegistry, clock: Clock): DeliveryView {
  const familyOf = (ip: string): Family => (family(ip) === 4 ? 'IPv4' : 'IPv6');
  return {
    get outboundConcurrency() {
      return delivery.outboundConcurrency;
    },
    get routes() {
      return delivery.routes.size;
    },
    *connections(): Iterable<OutboundConnection> {
      for (const { pair, connection } of delivery.connections()) {
        const { address, port, number } = connection.settings;
        yield {
          number,
          binding: pair.binding,
          domain: pair.domain,
          address: address.ip,
          port,
          host: address.host,
          family: familyOf(address.ip),
          state: connection.state,
          sinceMillis: connection.since,
        };
      }
    },
    route(domain) {
      const route = delivery.routes.peek(domain);
      if (route?.kind !== 'ready') return undefined;
      const now = clock.now();
      const ttlSeconds = Math.max(0, Math.round((route.until - now) / 1000));
      const hosts = new Map<string, { readonly host: RouteHost; readonly addresses: RouteAddress[] }>();
      let nextFound = false;
      for (const address of route.addresses) {
        const port = address.port ?? portOf(queues, domain);
        const state = delivery.hosts.of('default', address.ip, port, now);
        const bad = state.badUntil > now;
        const key = `${address.preference} ${address.host}`;
        let entry = hosts.get(key);
        if (entry === undefined) {
          const addresses: RouteAddress[] = [];
          entry = {
            host: { preference: address.preference, host: address.host, ttlSeconds, addresses, alsoUsedBy: [] },
            addresses,
          };
          hosts.set(key, entry);
        }
        entry.addresses.push({
          ip: address.ip,
          port,
          family: familyOf(address.ip),
          state: bad ? 'failed' : nextFound ? 'usable' : 'next',
          connectMillis: state.connectMillis,
          deliverMillis: state.deliveryMillis,
          secondsSinceFailure: state.failedAt === undefined ? undefined : (now - state.failedAt) / 1000,
        });
        if (!bad) nextFound = true;
      }
      const found: Route = {
        ttlSeconds,
        consecutiveFailures: delivery.failuresOf(domain),
        mxs: [...hosts.values()].map((each) => each.host),
      };
      return found;
    },
    refresh(domain) {
      delivery.routes.refresh(domain);
      if (literalAddress(domain) === undefined) queues.reconsider();
    },
    refreshAll() {
      delivery.routes.refresh();
      queues.reconsider();
    },
  };
}

function portOf(queues: QueueRegistry, domain: Domain): number {
  for (const pair of queues.all()) if (pair.domain === domain) return defaultPortOf(pair.limits.view);
  return 25;
}
