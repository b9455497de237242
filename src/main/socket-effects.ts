import type { SocketEffects } from '../config/index.ts';
import type { ListenPlan } from '../listener/index.ts';

/** A plan of the listeners in words, for consoles. */
export function socketEffects({ keep, open, reopen, change, close }: ListenPlan): SocketEffects {
  const closing = [...close, ...reopen.flatMap((step) => step.close)];
  const opening = [...open, ...reopen.flatMap((step) => step.open)];
  const has = (sockets: readonly Socket[], key: string): boolean => sockets.some((socket) => socket.key === key);
  return {
    opened: opening.filter(({ key }) => !has(closing, key)).map(nameOf),
    reopened: opening.filter(({ key }) => has(closing, key)).map(nameOf),
    changed: change.map(({ to }) => nameOf(to)),
    closed: closing.filter(({ key }) => !has(opening, key)).map(nameOf),
    kept: keep.map(nameOf),
  };
}

type Socket = ListenPlan['keep'][number];

const nameOf = ({ listener, key }: Socket): string => `${TITLES[listener]} ${key}`;

const TITLES: Readonly<Record<Socket['listener'], string>> = {
  esmtp_listener: 'ESMTP_Listener',
  control_listener: 'Control_Listener',
  ecstream_listener: 'ECStream_Listener',
  http_listener: 'HTTP_Listener',
};
