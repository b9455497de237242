import { millis } from '../../src/base/index.ts';
import type { Clock } from '../../src/world/index.ts';

/** @returns when that much simulated time has gone by */
export const sleep = (clock: Clock, duration: number): Promise<void> =>
  new Promise((resolve) => void clock.at(millis(clock.now() + duration), resolve));
