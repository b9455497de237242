import { type Endpoint, endpointText } from '../base/index.ts';
import type { Generation, ListenerType, ListenStanza } from '../config/index.ts';
import { acceptQueueBacklog, disableNagleAlgorithm, enable, fileMode, listenBacklog } from './options.ts';

/** A socket that a generation wants to be open, or that is. */
export interface ListenSocket {
  /** Canonical text of the endpoint: there is one socket for each. */
  readonly key: string;
  readonly listener: ListenerType;
  readonly endpoint: Endpoint;
  readonly backlog: number;
  readonly fileMode: number;
  readonly noDelay: boolean;
  /** Accepted connections that may wait to be served; 0 is no limit. */
  readonly acceptQueue: number;
  /** Nobody asked for it: if it cannot be opened, a notice is enough. */
  readonly optional: boolean;
}

/** For people: `ESMTP_Listener 127.0.0.1:2525`. */
export const socketTitle = ({ listener, key }: Pick<ListenSocket, 'listener' | 'key'>): string =>
  `${TITLES[listener]} ${key}`;

export const TITLES: Readonly<Record<ListenerType, string>> = {
  esmtp_listener: 'ESMTP_Listener',
  control_listener: 'Control_Listener',
  ecstream_listener: 'ECStream_Listener',
  http_listener: 'HTTP_Listener',
};

/** Without any control listener a console must still find its server. */
export const DEFAULT_CONTROL: Endpoint = { kind: 'unix', path: '/run/impetus/2025' };

/**
 * Every enabled Listen of every enabled listener. A disabled listener closes all its sockets, also those whose Listen
 * says `Enable = true` (configuration 9.6).
 *
 * @param control  where the console's socket is when no Control_Listener has a Listen
 */
export function wantedSockets(generation: Generation, control: Endpoint): ReadonlyMap<string, ListenSocket> {
  const wanted = new Map<string, ListenSocket>();
  const listens = generation.listens();
  for (const listen of listens) {
    if (!listen.view.get(enable) || !generation.stanza(listen.listener, '').get(enable)) continue;
    const socket = ofStanza(listen);
    wanted.set(socket.key, socket);
  }
  const key = endpointText(control);
  if (wanted.has(key) || listens.some((listen) => listen.listener === 'control_listener')) return wanted;
  wanted.set(key, {
    key,
    listener: 'control_listener',
    endpoint: control,
    backlog: listenBacklog.initial,
    fileMode: 0o600,
    noDelay: disableNagleAlgorithm.initial,
    acceptQueue: acceptQueueBacklog.initial,
    optional: true,
  });
  return wanted;
}

const ofStanza = ({ listener, endpoint, view }: ListenStanza): ListenSocket => ({
  key: endpointText(endpoint),
  listener,
  endpoint,
  backlog: view.get(listenBacklog),
  fileMode: view.get(fileMode),
  noDelay: view.get(disableNagleAlgorithm),
  acceptQueue: view.get(acceptQueueBacklog),
  optional: false,
});

/** Whether two sockets cannot be open at once: the same address, or one port of which one has every address. */
export function conflict(one: ListenSocket, other: ListenSocket): boolean {
  if (one.key === other.key) return true;
  const [a, b] = [one.endpoint, other.endpoint];
  if (a.kind !== 'tcp' || b.kind !== 'tcp' || a.port !== b.port || a.ip.includes(':') !== b.ip.includes(':'))
    return false;
  return isWildcard(one) || isWildcard(other);
}

export const isWildcard = ({ endpoint }: ListenSocket): boolean =>
  endpoint.kind === 'tcp' && (endpoint.ip === '0.0.0.0' || endpoint.ip === '::');

/** Specific addresses before wildcards, so that an overlap is found where it can be named. */
export const inOrder = (sockets: Iterable<ListenSocket>): readonly ListenSocket[] => {
  const all = [...sockets];
  return [...all.filter((socket) => !isWildcard(socket)), ...all.filter(isWildcard)];
};
