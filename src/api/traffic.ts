import type { Events } from '../events/index.ts';
import type { ReceptionProtocol } from '../message/index.ts';

/** Upper bounds of the time from reception to delivery, in seconds: from at once to the usual end of retries. */
export const DELIVERY_BOUNDS: readonly number[] = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400, 432_000];

/** What has happened to mail since the start, as Prometheus counts: nothing ever becomes less. */
export interface Traffic extends Disposable {
  readonly received: ReadonlyMap<ReceptionProtocol, number>;
  readonly delivered: number;
  readonly transient: number;
  readonly failed: number;
  readonly rejected: number;
  /** Transient and permanent failures by bounce class. */
  readonly bounces: ReadonlyMap<number, number>;
  /** Deliveries up to each bound, and beyond all of them; not summed up. */
  readonly deliveryTimes: readonly number[];
  readonly deliverySeconds: number;
}

export function traffic(events: Pick<Events, 'subscribe'>): Traffic {
  const received = new Map<ReceptionProtocol, number>();
  const bounces = new Map<number, number>();
  const deliveryTimes = new Array<number>(DELIVERY_BOUNDS.length + 1).fill(0);
  const sums = { delivered: 0, transient: 0, failed: 0, rejected: 0, deliverySeconds: 0 };

  const subscription = events.subscribe(['reception', 'delivery', 'transient', 'permanent', 'rejection'], (event) => {
    switch (event.kind) {
      case 'reception':
        received.set(event.protocol, (received.get(event.protocol) ?? 0) + 1);
        return;
      case 'delivery': {
        sums.delivered++;
        sums.deliverySeconds += event.queuedSeconds;
        let at = 0;
        while (at < DELIVERY_BOUNDS.length && event.queuedSeconds > (DELIVERY_BOUNDS[at] ?? 0)) at++;
        deliveryTimes[at] = (deliveryTimes[at] ?? 0) + 1;
        return;
      }
      case 'transient':
        sums.transient++;
        bounces.set(event.bounceClass, (bounces.get(event.bounceClass) ?? 0) + 1);
        return;
      case 'permanent':
        sums.failed++;
        bounces.set(event.bounceClass, (bounces.get(event.bounceClass) ?? 0) + 1);
        return;
      case 'rejection':
        sums.rejected++;
    }
  });

  return {
    received,
    bounces,
    deliveryTimes,
    get delivered() {
      return sums.delivered;
    },
    get transient() {
      return sums.transient;
    },
    get failed() {
      return sums.failed;
    },
    get rejected() {
      return sums.rejected;
    },
    get deliverySeconds() {
      return sums.deliverySeconds;
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
    },
  };
}
