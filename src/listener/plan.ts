import type { Endpoint } from '../base/index.ts';
import type { Generation, ListenerType } from '../config/index.ts';
import { conflict, DEFAULT_CONTROL, inOrder, type ListenSocket, wantedSockets } from './wanted.ts';

/** How one set of sockets becomes another (configuration 9.6). Steps are taken in the order of the fields. */
export interface ListenPlan {
  /** They stay as they are. Who serves their clients may be another. */
  readonly keep: readonly ListenSocket[];
  /** Opened before anything is closed. */
  readonly open: readonly ListenSocket[];
  /** One entry for each port where the old sockets stand in the way of the new ones: closed and opened in one go. */
  readonly reopen: readonly { readonly close: readonly ListenSocket[]; readonly open: readonly ListenSocket[] }[];
  /** Other options for an open socket, which is not closed for it. */
  readonly change: readonly { readonly from: ListenSocket; readonly to: ListenSocket }[];
  /** Closed when everything else has succeeded; their connections live on. */
  readonly close: readonly ListenSocket[];
}

export interface PlanCircumstances {
  /** Where the console's socket is when no Control_Listener has a Listen; `DEFAULT_CONTROL` when left out. */
  readonly control?: Endpoint;
  /** Whether somebody speaks the protocol of a listener; sockets that nobody would serve are not opened. */
  readonly serves?: (listener: ListenerType) => boolean;
}

/**
 * What a commit of a generation would do to sockets. Nothing is touched: whether they can be opened is known only
 * when it is tried.
 *
 * @param live  the sockets that are open
 */
export function planListeners(
  live: Iterable<ListenSocket>,
  next: Generation,
  { control = DEFAULT_CONTROL, serves = () => true }: PlanCircumstances = {},
): ListenPlan {
  const open = new Map([...live].map((socket) => [socket.key, socket]));
  const wanted = new Map([...wantedSockets(next, control)].filter(([, socket]) => serves(socket.listener)));
  const stop = [...open.values()].filter(({ key }) => !wanted.has(key));
  const start = inOrder([...wanted.values()].filter(({ key }) => !open.has(key)));
  const stay = [...wanted.values()].flatMap((to) => {
    const from = open.get(to.key);
    return from === undefined ? [] : [{ from, to }];
  });
  const blocked = start.filter((socket) => stop.some((other) => conflict(other, socket)));
  const ports = Map.groupBy(blocked, portOf);
  const reopen = [...ports.values()].map((opening) => ({
    close: stop.filter((other) => opening.some((socket) => conflict(other, socket))),
    open: opening,
  }));
  const moved = new Set(reopen.flatMap((port) => port.close));
  return {
    keep: stay.filter(({ from, to }) => sameSocket(from, to)).map(({ to }) => to),
    open: start.filter((socket) => !blocked.includes(socket)),
    reopen,
    change: stay.filter(({ from, to }) => !sameSocket(from, to)),
    close: stop.filter((socket) => !moved.has(socket)),
  };
}

/** Sockets in one group may stand in each other's way: those of one port and family. */
function portOf({ endpoint, key }: ListenSocket): string {
  return endpoint.kind === 'tcp' ? `${endpoint.ip.includes(':') ? 6 : 4} ${endpoint.port}` : key;
}

/** Whether an open socket already is what is wanted. */
const sameSocket = (open: ListenSocket, wanted: ListenSocket): boolean =>
  open.backlog === wanted.backlog &&
  open.acceptQueue === wanted.acceptQueue &&
  (open.endpoint.kind === 'tcp' ? open.noDelay === wanted.noDelay : open.fileMode === wanted.fileMode);
