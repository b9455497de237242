import { type Refusal, refusal } from './answer.ts';

/** Whether there is room for anything new; asked before a body is read. */
export interface Pressure {
  /** @returns why there is none, in words for clients: `the spool is full` */
  reason(): string | undefined;
}

/** Seconds after which it is worth while to come again. */
const COME_AGAIN = 10;

/** @returns 503 with Retry-After while memory or spool say stop */
export function outOfRoom(pressure: Pressure): Refusal | undefined {
  const reason = pressure.reason();
  return reason === undefined ? undefined : refusal('1502', reason, { headers: { 'retry-after': String(COME_AGAIN) } });
}
