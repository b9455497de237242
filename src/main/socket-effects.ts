import type { SocketEffects } from '../config/index.ts';
import { type ListenPlan, socketTitle } from '../listener/index.ts';

/** A plan of the listeners in words, for consoles. */
export function socketEffects({ keep, open, reopen, change, close }: ListenPlan): SocketEffects {
  const closing = [...close, ...reopen.flatMap((step) => step.close)];
  const opening = [...open, ...reopen.flatMap((step) => step.open)];
  const has = (sockets: readonly Socket[], key: string): boolean => sockets.some((socket) => socket.key === key);
  return {
    opened: opening.filter(({ key }) => !has(closing, key)).map(socketTitle),
    reopened: opening.filter(({ key }) => has(closing, key)).map(socketTitle),
    changed: change.map(({ to }) => socketTitle(to)),
    closed: closing.filter(({ key }) => !has(opening, key)).map(socketTitle),
    kept: keep.map(socketTitle),
  };
}

type Socket = ListenPlan['keep'][number];
