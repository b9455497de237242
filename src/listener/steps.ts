import { conflict, inOrder, sameSocket, type Wanted } from './wanted.ts';

/** What leads from the sockets that are open to those that are wanted (configuration 9.6). */
export interface Steps<Open extends { readonly wanted: Wanted }> {
  /** Open, and as they are wanted. */
  readonly keep: readonly Open[];
  readonly stop: readonly Open[];
  /** In the order in which they are opened. */
  readonly begin: readonly Wanted[];
  /** Those of `begin` that cannot be opened before something of `stop` is closed. */
  readonly blocked: readonly Wanted[];
}

/** The same in the order in which it happens, for whoever wants to know before. */
export interface ListenPlan {
  readonly keep: readonly Wanted[];
  /** Opened before anything is closed. */
  readonly open: readonly Wanted[];
  /** Old sockets that stand in the way of new ones: closed, and then the new ones opened. */
  readonly reopen: readonly { readonly close: readonly Wanted[]; readonly open: readonly Wanted[] }[];
  /** Other options for an open socket, which is not closed for it. */
  readonly change: readonly { readonly from: Wanted; readonly to: Wanted }[];
  /** Closed when everything else has succeeded; their connections live on. */
  readonly close: readonly Wanted[];
}

export function steps<Open extends { readonly wanted: Wanted }>(
  live: ReadonlyMap<string, Open>,
  wanted: ReadonlyMap<string, Wanted>,
): Steps<Open> {
  const all = [...live.values()];
  const stop = all.filter(({ wanted: open }) => !keeps(wanted.get(open.key), open));
  const begin = inOrder([...wanted.values()].filter((socket) => !keeps(socket, live.get(socket.key)?.wanted)));
  return {
    keep: all.filter((open) => !stop.includes(open)),
    stop,
    begin,
    blocked: begin.filter((socket) => stop.some((other) => conflict(other.wanted, socket))),
  };
}

export function planOf({ keep, stop, begin, blocked }: Steps<{ readonly wanted: Wanted }>): ListenPlan {
  const close = stop.map(({ wanted }) => wanted);
  const inTheWay = close.filter((open) => blocked.some((socket) => conflict(open, socket)));
  return {
    keep: keep.map(({ wanted }) => wanted),
    open: begin.filter((socket) => !blocked.includes(socket)),
    reopen: blocked.length === 0 ? [] : [{ close: inTheWay, open: blocked }],
    change: [],
    close: close.filter((open) => !inTheWay.includes(open)),
  };
}

const keeps = (wanted: Wanted | undefined, open: Wanted | undefined): boolean =>
  wanted !== undefined && open !== undefined && sameSocket(open, wanted);
