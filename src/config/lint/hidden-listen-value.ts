import { parseCidr, parseEndpoint } from '../../base/index.ts';
import { spelling } from '../schema/spelling.ts';
import { type Stanza, stanzaTitle } from '../tree/stanza.ts';
import { covered } from './blocks.ts';
import { familyOf } from './doors.ts';
import type { Finding, LintRule } from './rule.ts';

/** Options by which sockets are opened: no client is asked for, so that no Peer stanza can hide them. */
const OF_THE_SOCKET = new Set([
  'enable',
  'listen_backlog',
  'file_mode',
  'event_loop',
  'pool_name',
  'accept_queue_backlog',
]);

/** More than this came out of a program, which knows what it does. */
const MOST = 2000;

export const hiddenListenValue: LintRule = {
  id: 'hidden-listen-value',
  summary: 'a value of a Listen stanza, or of the listener, that others replace for every client',
  *find({ generation }) {
    for (const [type, ofType] of generation.tree.children) {
      const listener = type.endsWith('_listener') ? ofType.get('') : undefined;
      const listens = [...(listener?.children.get('listen')?.values() ?? [])];
      if (!listener || listens.length === 0) continue;
      for (const listen of listens) yield* hiddenIn(listener, listen);
      yield* replacedEverywhere(listener, listens);
    }
  },
};

/** Values of a Listen that Peer stanzas set for all addresses: those of the listener stand before it as well. */
function* hiddenIn(listener: Stanza, listen: Stanza): Iterable<Finding> {
  for (const [name, set] of listen.options) {
    if (peersSetForAll(listener, listen, name))
      yield {
        place: set.at,
        text: `${spelling(name)} of ${stanzaTitle(listen)} never counts: Peer stanzas set it for every client, and stand before Listen`,
      };
  }
}

function* replacedEverywhere(listener: Stanza, listens: readonly Stanza[]): Iterable<Finding> {
  for (const [name, set] of listener.options) {
    if (listens.every((listen) => listen.options.has(name) || peersSetForAll(listener, listen, name)))
      yield {
        place: set.at,
        text: `${spelling(name)} of ${stanzaTitle(listener)} never counts: every Listen, or its Peer stanzas, set it`,
      };
  }
}

function peersSetForAll(listener: Stanza, listen: Stanza, name: string): boolean {
  if (OF_THE_SOCKET.has(name)) return false;
  const endpoint = parseEndpoint(listen.instance);
  if (endpoint.kind === 'error') return false;
  const setters = [listen, listener]
    .flatMap((stanza) => [...(stanza.children.get('peer')?.values() ?? [])])
    .filter((peer) => peer.options.has(name));
  if (setters.length === 0 || setters.length > MOST) return false;
  const all = endpoint.kind === 'unix' ? '127.0.0.1/32' : familyOf(endpoint) === 4 ? '0.0.0.0/0' : '::/0';
  const everybody = parseCidr(all);
  return (
    everybody !== undefined &&
    covered(
      everybody,
      setters.flatMap((peer) => parseCidr(peer.instance) ?? []),
    )
  );
}
