import { type Endpoint, endpointText } from '../base/index.ts';
import type { Generation, ListenerType, ListenStanza } from '../config/index.ts';
import { enable, fileMode, listenBacklog } from './options.ts';

/** A socket that a generation wants to be open. */
export interface Wanted {
  /** Canonical text of the endpoint. */
  readonly key: string;
  readonly listener: ListenerType;
  readonly endpoint: Endpoint;
  readonly backlog: number;
  readonly fileMode: number;
  /** Nobody asked for it: if it cannot be opened, a notice is enough. */
  readonly optional: boolean;
}

/** Without any control listener a console must still find its server. */
export const DEFAULT_CONTROL: Endpoint = { kind: 'unix', path: '/run/impetus/2025' };

/** @param control  where the console's socket is when no Control_Listener has a Listen */
export function wantedSockets(generation: Generation, control: Endpoint): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  const listens = generation.listens();
  for (const listen of listens) if (listen.view.get(enable)) add(wanted, ofStanza(listen));
  if (!listens.some((listen) => listen.listener === 'control_listener')) {
    add(wanted, {
      key: endpointText(control),
      listener: 'control_listener',
      endpoint: control,
      backlog: 500,
      fileMode: 0o600,
      optional: true,
    });
  }
  return wanted;
}

const add = (wanted: Map<string, Wanted>, socket: Wanted): void => void wanted.set(socket.key, socket);

const ofStanza = ({ listener, endpoint, view }: ListenStanza): Wanted => ({
  key: endpointText(endpoint),
  listener,
  endpoint,
  backlog: view.get(listenBacklog),
  fileMode: view.get(fileMode),
  optional: false,
});

/** Whether an open socket serves what is wanted now. Who handles its connections may change without touching it. */
export const sameSocket = (open: Wanted, wanted: Wanted): boolean =>
  open.key === wanted.key &&
  open.backlog === wanted.backlog &&
  (open.endpoint.kind === 'tcp' || open.fileMode === wanted.fileMode);

/** Whether two sockets cannot be open at once: the same address, or one port of which one has every address. */
export function conflict(one: Wanted, other: Wanted): boolean {
  if (one.key === other.key) return true;
  const [a, b] = [one.endpoint, other.endpoint];
  if (a.kind !== 'tcp' || b.kind !== 'tcp' || a.port !== b.port || a.ip.includes(':') !== b.ip.includes(':'))
    return false;
  return isWildcard(one) || isWildcard(other);
}

export const isWildcard = ({ endpoint }: Wanted): boolean =>
  endpoint.kind === 'tcp' && (endpoint.ip === '0.0.0.0' || endpoint.ip === '::');

/** Specific addresses before wildcards, so that an overlap is found where it can be named. */
export const inOrder = (sockets: Iterable<Wanted>): readonly Wanted[] => {
  const all = [...sockets];
  return [...all.filter((socket) => !isWildcard(socket)), ...all.filter(isWildcard)];
};
