import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millis } from '../../base/index.ts';
import { NodeClock } from './clock.ts';

test('timers run in the order they are due, and never early', async () => {
  const clock = new NodeClock();
  const ran: string[] = [];
  const from = clock.now();
  await new Promise<void>((resolve) => {
    clock.at(millis(from + 12), () => {
      ran.push(`late ${clock.now() - from >= 12}`);
      resolve();
    });
    clock.at(millis(from + 3), () => ran.push(`early ${clock.now() - from >= 3}`));
    clock.at(millis(from + 5), () => ran.push('cancelled'))[Symbol.dispose]();
    clock.at(millis(from - 1000), () => ran.push('past'));
    expect(ran).toEqual([]);
  });
  expect(ran).toEqual(['past', 'early true', 'late true']);
});

test('deferred work runs once, together, after the turn and before a timer that is due', async () => {
  const clock = new NodeClock();
  const ran: string[] = [];
  await new Promise<void>((resolve) => {
    clock.at(clock.now(), () => {
      ran.push('timer');
      resolve();
    });
    clock.defer(() => {
      ran.push('first');
      clock.defer(() => ran.push('later'));
    });
    clock.defer(() => ran.push('second'));
    ran.push('turn');
  });
  await new Promise<void>((resolve) => clock.defer(resolve));
  expect(ran.slice(0, 3)).toEqual(['turn', 'first', 'second']);
  expect(ran.toSorted()).toEqual(['first', 'later', 'second', 'timer', 'turn']);
});

test('a cancelled timer does not keep the process alive, a waiting one does', () => {
  const file = fileURLToPath(new URL('./clock.ts', import.meta.url));
  const script = `
    import { NodeClock } from ${JSON.stringify(file)};
    const clock = new NodeClock();
    clock.at(clock.now() + 100_000, () => console.log('never'))[Symbol.dispose]();
    clock.at(clock.now() + 20, () => console.log('rang'));
    const late = clock.at(clock.now() + 200_000, () => console.log('never'));
    clock.at(clock.now() + 30, () => late[Symbol.dispose]());
  `;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(out).toBe('rang\n');
});
