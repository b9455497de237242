import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { nullId } from '../message/index.ts';
import { reply } from '../smtp/index.ts';
import type { Clock } from '../world/index.ts';
import type { DiagnosticEvent, MailEvent, RejectionEvent } from './events.ts';
import { events } from './record.ts';

const clock: Clock = {
  now: () => millis(5),
  date: () => millis(1_700_000_000_000),
  at: () => ({ [Symbol.dispose]() {} }),
  defer() {},
};

const rejection: RejectionEvent = {
  kind: 'rejection',
  at: millis(1),
  generation: 1,
  remote: '192.0.2.7:1',
  local: '192.0.2.1:25',
  connectionId: nullId,
  pathway: '',
  pathwayGroup: '',
  phase: 'connect',
  reply: reply(550, '5.7.1', 'no'),
  module: 'core',
  connectionContext: {},
  messageContext: {},
};

test('hearers get the kinds they asked for, in the order they came', () => {
  const told = events(clock, () => 1);
  const heard: string[] = [];
  told.subscribe(['rejection'], () => heard.push('first'));
  told.subscribe(['diagnostic', 'rejection'], (event) => heard.push(`second ${event.kind}`));
  told.record(rejection);
  told.diagnose('NOTICE', 'core', 'started');
  expect(heard).toEqual(['first', 'second rejection', 'second diagnostic']);
});

test('a diagnostic is stamped with the wall clock and the generation of the moment', () => {
  let generation = 1;
  const told = events(clock, () => generation);
  const heard: DiagnosticEvent[] = [];
  told.subscribe(['diagnostic'], (event) => heard.push(event));
  generation = 7;
  told.diagnose('ERROR', 'queue', 'no hands');
  expect(heard).toEqual([
    { kind: 'diagnostic', at: 1_700_000_000_000, generation: 7, level: 'ERROR', module: 'queue', text: 'no hands' },
  ]);
});

test('a hearer that throws is reported once and the others hear every event', () => {
  const told = events(clock, () => 1);
  let heard = 0;
  const diagnostics: string[] = [];
  told.subscribe(['rejection'], () => {
    throw new Error('broken hearer');
  });
  told.subscribe(['rejection'], () => heard++);
  told.subscribe(['diagnostic'], (event) => diagnostics.push(`${event.level} ${event.text}`));
  told.record(rejection);
  told.record(rejection);
  expect(heard).toBe(2);
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]).toMatch(/^CRITICAL a hearer of rejection events failed; others go on: broken hearer/);
});

test('a hearer of diagnostics that throws does not call itself without end', () => {
  const told = events(clock, () => 1);
  let calls = 0;
  told.subscribe(['diagnostic'], () => {
    calls += 1;
    throw new Error('no paniclog');
  });
  told.diagnose('NOTICE', 'core', 'one');
  expect(calls).toBe(2);
});

test('after its disposal a hearer hears nothing, and leaving while an event is told spares nobody else', () => {
  const told = events(clock, () => 1);
  const heard: string[] = [];
  const first = told.subscribe(['rejection'], () => {
    heard.push('first');
    first[Symbol.dispose]();
  });
  told.subscribe(['rejection'], () => heard.push('second'));
  told.record(rejection);
  told.record(rejection);
  expect(heard).toEqual(['first', 'second', 'second']);
});

test('one who subscribes while an event is told hears the next one', () => {
  const told = events(clock, () => 1);
  const heard: MailEvent[] = [];
  let joined = false;
  told.subscribe(['rejection'], () => {
    if (!joined) told.subscribe(['rejection'], (event) => heard.push(event));
    joined = true;
  });
  told.record(rejection);
  expect(heard).toHaveLength(0);
  told.record(rejection);
  expect(heard).toEqual([rejection]);
});
