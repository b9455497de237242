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

const keeps = (wanted: Wanted | undefined, open: Wanted | undefined): boolean =>
  wanted !== undefined && open !== undefined && sameSocket(open, wanted);
