import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { type AttemptEvent, events as makeEvents } from '../events/index.ts';
import { nullId } from '../message/index.ts';
import { reply } from '../smtp/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { DELIVERY_BOUNDS, traffic } from './traffic.ts';

const attempt = (kind: AttemptEvent['kind'], queuedSeconds: number, bounceClass = 0): AttemptEvent => ({
  kind,
  at: millis(0),
  generation: 1,
  messageId: nullId,
  batchId: nullId,
  connectionId: nullId,
  bindingGroup: 'default',
  binding: 'default',
  sender: 'a@b.test',
  recipient: 'c@d.test',
  size: 1,
  routingDomain: 'd.test',
  stage: 9,
  bytes: 1,
  retries: 0,
  queuedSeconds,
  address: '',
  host: '',
  reply: reply(250, '2.0.0', 'OK'),
  bounceClass,
});

test('deliveries fall into the first bucket that holds them, at its bound too; failures are counted by class', () => {
  const events = makeEvents(simWorld().clock, () => 1);
  const counted = traffic(events);
  for (const seconds of [0, 0.1, 0.11, 1, 432_000, 432_001]) events.record(attempt('delivery', seconds));
  events.record(attempt('transient', 1, 22));
  events.record(attempt('transient', 1, 22));
  events.record(attempt('permanent', 1, 10));
  expect([counted.delivered, counted.transient, counted.failed]).toEqual([6, 2, 1]);
  expect(counted.deliveryTimes).toHaveLength(DELIVERY_BOUNDS.length + 1);
  expect(counted.deliveryTimes.slice(0, 3)).toEqual([2, 1, 1]);
  expect(counted.deliveryTimes.slice(-2)).toEqual([1, 1]);
  expect(counted.deliverySeconds).toBeCloseTo(864_002.21);
  expect([...counted.bounces]).toEqual([
    [22, 2],
    [10, 1],
  ]);
  counted[Symbol.dispose]();
  events.record(attempt('delivery', 1));
  expect(counted.delivered).toBe(6);
});
