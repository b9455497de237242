import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { nullId } from '../message/index.ts';
import { reply } from '../smtp/index.ts';
import type { Clock } from '../world/index.ts';
import type { AttemptEvent, Events, ReceptionEvent, RejectionEvent } from './events.ts';
import { recentDiagnostics } from './recent.ts';
import { events } from './record.ts';
import { statistics } from './statistics.ts';

function clockAt(start: number): Clock & { pass(ms: number): void } {
  let passed = 0;
  return {
    now: () => millis(passed),
    date: () => millis(start + passed),
    at: () => ({ [Symbol.dispose]() {} }),
    defer() {},
    pass(ms) {
      passed += ms;
    },
  };
}

const stamped = { at: millis(0), generation: 1 };
const ofMessage = {
  ...stamped,
  messageId: nullId,
  batchId: nullId,
  connectionId: nullId,
  bindingGroup: 'retail',
  sender: 'news@sender.test',
  recipient: 'ann@dest.test',
  size: 100,
};

function receive(told: Events, binding: string): void {
  const event: ReceptionEvent = { ...ofMessage, kind: 'reception', binding, peer: '192.0.2.7', protocol: 'esmtp' };
  told.record(event);
}

function attempt(told: Events, binding: string, kind: AttemptEvent['kind']): void {
  told.record({
    ...ofMessage,
    kind,
    binding,
    routingDomain: 'dest.test',
    stage: 9,
    bytes: 100,
    retries: 0,
    queuedSeconds: 1,
    address: '',
    host: '',
    reply: reply(250, undefined, 'OK'),
    bounceClass: 0,
  });
}

function reject(told: Events): void {
  const event: RejectionEvent = {
    ...stamped,
    kind: 'rejection',
    remote: '',
    local: '',
    connectionId: nullId,
    pathway: '',
    pathwayGroup: '',
    phase: 'connect',
    reply: reply(550, undefined, 'no'),
    module: 'core',
    connectionContext: {},
    messageContext: {},
  };
  told.record(event);
}

test('the server and each binding count what happened to them', () => {
  const clock = clockAt(1_700_000_000_000);
  const told = events(clock, () => 1);
  const counted = statistics(told, clock);
  receive(told, 'r1');
  receive(told, 'r1');
  receive(told, 'r2');
  attempt(told, 'r1', 'delivery');
  attempt(told, 'r1', 'transient');
  attempt(told, 'r2', 'permanent');
  reject(told);
  expect(counted.server).toEqual({ received: 3, delivered: 1, failed: 1, transient: 1, rejected: 1 });
  expect(counted.binding('r1')).toEqual({
    binding: 'r1',
    group: 'retail',
    received: 2,
    delivered: 1,
    failed: 0,
    transient: 1,
  });
  expect([...counted.bindings()].map((binding) => binding.binding)).toEqual(['r1', 'r2']);
  expect(counted.binding('r3')).toBeUndefined();
});

test('rates count since the reset, deliveries and failures together', () => {
  const clock = clockAt(1_700_000_000_000);
  const told = events(clock, () => 1);
  const counted = statistics(told, clock);
  clock.pass(10_000);
  for (let count = 0; count < 30; count++) receive(told, 'r1');
  for (let count = 0; count < 15; count++) attempt(told, 'r1', 'delivery');
  for (let count = 0; count < 5; count++) attempt(told, 'r1', 'permanent');
  for (let count = 0; count < 10; count++) reject(told);
  expect(counted.serverRates).toEqual({ reception: 3, delivery: 2, rejection: 1, rejectionPercentage: 25 });
  expect(counted.rates(counted.binding('r1') ?? counted.server)).toEqual({ reception: 3, delivery: 2 });
});

test('a reset zeroes counters, bindings and rates and leaves the uptime', () => {
  const clock = clockAt(1_700_000_000_000);
  const told = events(clock, () => 1);
  const counted = statistics(told, clock);
  receive(told, 'r1');
  clock.pass(60_000);
  counted.reset();
  clock.pass(5000);
  expect(counted.server).toEqual({ received: 0, delivered: 0, failed: 0, transient: 0, rejected: 0 });
  expect([...counted.bindings()]).toEqual([]);
  expect(counted.serverRates).toEqual({ reception: 0, delivery: 0, rejection: 0, rejectionPercentage: 0 });
  expect(counted.lastReset).toBe(1_700_000_060_000);
  expect(counted.sinceReset).toBe(5);
  expect(counted.uptime).toBe(65);
});

test('a noisy level does not push the others out of the recent diagnostics', () => {
  const clock = clockAt(1_700_000_000_000);
  const told = events(clock, () => 1);
  const recent = recentDiagnostics(told);
  told.diagnose('CRITICAL', 'spool', 'disk full');
  for (let count = 1; count <= 25; count++) told.diagnose('NOTICE', 'core', `number ${count}`);
  told.diagnose('ERROR', 'dns', 'last');
  expect(recent.of('CRITICAL').map((event) => event.text)).toEqual(['disk full']);
  expect(recent.of('NOTICE')).toHaveLength(10);
  expect(recent.of('NOTICE')[0]?.text).toBe('number 16');
  const all = recent.all().map((event) => event.text);
  expect(all).toHaveLength(12);
  expect(all[0]).toBe('disk full');
  expect(all.at(-1)).toBe('last');
  recent[Symbol.dispose]();
  told.diagnose('ERROR', 'dns', 'not kept');
  expect(recent.of('ERROR')).toHaveLength(1);
});
