import { expect, test } from 'vitest';
import { configured, MAIN } from '../../test/support/configuration.ts';
import { events } from '../events/index.ts';
import type { ModuleDefinition } from '../modules/index.ts';
import { policy } from '../policy/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { moduleNames, modules } from './declared.ts';
import { ModuleShelf } from './module-shelf.ts';

test('a commit starts, restarts and ends modules as its plan says, and leaves alone those that see no difference', async () => {
  const log: string[] = [];
  const definitions: readonly ModuleDefinition[] = modules.map((definition) => ({
    ...definition,
    start: ({ instance }) => {
      log.push(`+${definition.name} ${instance}`);
      return {
        [Symbol.asyncDispose]: async () => {
          log.push(`-${definition.name} ${instance}`);
        },
      };
    },
  }));
  const { clock, disk } = simWorld();
  const told = events(clock, () => 1);
  const { configuration, disk: files } = await configured(
    'ec_logger "a" { Mainlog = "/a" } ec_logger "b" { Mainlog = "/b" } ec_logger "c" { Mainlog = "/c" }',
    modules.flatMap((definition) => definition.options),
    moduleNames,
  );
  await using shelf = new ModuleShelf(definitions, {
    clock,
    disk,
    events: told,
    policy: policy(told),
    complain: () => undefined,
  });
  shelf.prepare(configuration.current).take();
  expect(log.splice(0)).toEqual(['+ec_logger a', '+ec_logger b', '+ec_logger c']);

  await files.replace(
    MAIN,
    Buffer.from('ec_logger "a" { Mainlog = "/a" } ec_logger "b" { Mainlog = "/other" } bounce_logger { }'),
  );
  const next = configuration.proposed((await configuration.inspect()).tree);
  expect(shelf.plan(next)).toEqual({
    started: ['bounce_logger'],
    ended: ['ec_logger c'],
    restarted: ['ec_logger b'],
  });
  expect(log).toEqual([]);

  shelf.prepare(next).drop();
  await clock.advance(1);
  expect(log.splice(0)).toEqual([
    '+ec_logger b',
    '+bounce_logger bounce_logger',
    '-ec_logger b',
    '-bounce_logger bounce_logger',
  ]);
  shelf.prepare(next).take();
  expect(log.splice(0)).toEqual(['+ec_logger b', '+bounce_logger bounce_logger', '-ec_logger b', '-ec_logger c']);
});
