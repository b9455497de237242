import { expect, test } from 'vitest';
import type { Generation, View } from '../config/index.ts';
import { events as makeEvents } from '../events/index.ts';
import type { ModuleDefinition } from '../modules/index.ts';
import { policy as makePolicy, type Session } from '../policy/index.ts';
import { SimChance } from '../world/sim/chance.ts';
import { SimClock } from '../world/sim/clock.ts';
import { SimDisk } from '../world/sim/disk.ts';
import { ModuleShelf } from './module-shelf.ts';

const session: Session = {
  remote: { ip: '192.0.2.1', port: 1 },
  helo: '',
  reversePath: undefined,
  recipient: undefined,
  connectionContext: {},
  messageContext: {},
};

/** A generation with these instances of the module; each number makes another view. */
const generation = (number: number, instances: readonly string[] = ['']): Generation => {
  const view = { generation: number, sameIn: (next: Generation) => next.number === number } as View;
  return { number, global: view, instances: () => instances, stanza: () => view } as unknown as Generation;
};

function house() {
  const asked: string[] = [];
  const heard: string[] = [];
  const clock = new SimClock();
  const events = makeEvents(clock, () => 1);
  const policy = makePolicy(events);
  const definition: ModuleDefinition = {
    name: 'watch',
    instances: 'named',
    options: [],
    start(host, view) {
      const hook = host.hook('validate_ehlo', () => {
        asked.push(`${view.generation}${host.instance}`);
        return { kind: 'continue' };
      });
      const subscription = host.events.subscribe(
        ['diagnostic'],
        () => void heard.push(`${view.generation}${host.instance}`),
      );
      return {
        [Symbol.asyncDispose]: async () => {
          hook[Symbol.dispose]();
          subscription[Symbol.dispose]();
        },
      };
    },
  };
  const disk = new SimDisk(clock, new SimChance(1));
  const shelf = new ModuleShelf([definition], { clock, disk, events, policy, complain: () => undefined });
  /** Which instances are asked about a client, by the number of their generation. */
  const ask = (connectionContext: Record<string, string> = {}): string => {
    void policy.run('validate_ehlo', { ...session, connectionContext });
    return asked.splice(0).join();
  };
  /** Which instances hear of an event. */
  const tell = (): string => {
    events.diagnose('NOTICE', 'test', 'something');
    return heard.splice(0).join();
  };
  return { shelf, ask, tell, policy };
}

test('hooks of a module are asked from the commit on, of the old instance or the new, never of both', () => {
  const { shelf, ask } = house();
  const first = shelf.prepare(generation(1));
  expect(ask()).toBe('');
  first.take();
  expect(ask()).toBe('1');
  const second = shelf.prepare(generation(2, ['', 'b']));
  expect(ask()).toBe('1');
  second.take();
  expect(ask()).toBe('2,2b');
  shelf.prepare(generation(3)).drop();
  expect(ask()).toBe('2,2b');
  expect(ask({ __bypass_watch: 'true' })).toBe('');
});

test('events are heard by the old instance until the commit and by the new one from then on, and by one only', () => {
  const { shelf, tell } = house();
  const first = shelf.prepare(generation(1));
  expect(tell()).toBe('');
  first.take();
  expect(tell()).toBe('1');
  const second = shelf.prepare(generation(2));
  expect(tell()).toBe('1');
  second.take();
  expect(tell()).toBe('2');
  const third = shelf.prepare(generation(3));
  expect(tell()).toBe('2');
  third.drop();
  expect(tell()).toBe('2');
});

test('when the last instance is gone nobody listens', async () => {
  const { shelf, ask, policy } = house();
  shelf.prepare(generation(1)).take();
  shelf.prepare(generation(2, [])).take();
  expect(ask()).toBe('');
  await shelf[Symbol.asyncDispose]();
  expect(policy.has('validate_ehlo')).toBe(false);
});
