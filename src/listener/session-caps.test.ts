import { expect, test } from 'vitest';
import type { Option, View } from '../config/index.ts';
import { listenerSessions } from './options.ts';
import { SessionCaps } from './session-caps.ts';

/** A view in which only `listener_sessions` is set. */
const view = (most: number, owner: string): View => ({
  generation: 1,
  get: <T>(option: Option<T>): T => (option.name === listenerSessions.name ? (most as T) : option.initial),
  owner: (option) => ({ key: option.name === listenerSessions.name ? owner : 'default', place: undefined }),
  sameIn: () => true,
});

const outer = view(3, 'esmtp_listener');

test('outside Peer there is one budget for everyone', () => {
  const caps = new SessionCaps();
  const slots = [1, 2, 3].map(() => caps.take(outer, outer));
  expect(caps.take(outer, outer)).toBeUndefined();
  slots[0]?.[Symbol.dispose]();
  slots[0]?.[Symbol.dispose]();
  expect(caps.take(outer, outer)).toBeDefined();
  expect(caps.take(outer, outer)).toBeUndefined();
});

test('inside Peer each block has its own, which is also counted in the outer one but not held to it', () => {
  const caps = new SessionCaps();
  const office = view(5, 'peer:10.0.0.0/8');
  const branch = view(1, 'peer:172.16.0.0/12');
  for (let count = 0; count < 5; count += 1) expect(caps.take(office, outer)).toBeDefined();
  expect(caps.take(office, outer)).toBeUndefined();
  expect(caps.take(branch, outer)).toBeDefined();
  expect(caps.take(branch, outer)).toBeUndefined();
  expect(caps.take(outer, outer)).toBeUndefined();
});

test('0 is no limit', () => {
  const caps = new SessionCaps();
  for (let count = 0; count < 1000; count += 1) expect(caps.take(view(0, 'default'), view(0, 'default'))).toBeDefined();
});
