import { type Cidr, parseCidr } from '../../base/index.ts';
import { spelling } from '../schema/spelling.ts';
import { type Stanza, stanzaTitle } from '../tree/stanza.ts';
import { covered } from './blocks.ts';
import type { Finding, LintRule } from './rule.ts';

/** More than this in one stanza came out of a program, which knows what it does. */
const MOST = 500;

export const hiddenPeer: LintRule = {
  id: 'hidden-peer',
  summary: 'a Peer stanza whose values others set for all of its addresses',
  *find({ generation }) {
    for (const [type, ofType] of generation.tree.children) {
      const listener = type.endsWith('_listener') ? ofType.get('') : undefined;
      if (!listener) continue;
      const listens = [...(listener.children.get('listen')?.values() ?? [])];
      yield* hiddenAmong(listener, listens);
      for (const listen of listens) yield* hiddenAmong(listen, []);
    }
  },
};

/** @param inner the Listen stanzas, whose own peers stand before those of the listener */
function* hiddenAmong(container: Stanza, inner: readonly Stanza[]): Iterable<Finding> {
  const peers = peersOf(container);
  if (peers.length === 0 || peers.length > MOST) return;
  const innerPeers = inner.map(peersOf);
  if (innerPeers.some((each) => each.length > MOST)) return;
  for (const { stanza, cidr } of peers) {
    const names = [...stanza.options.keys()];
    if (names.length === 0) {
      yield { place: stanza.at, text: `${stanzaTitle(stanza)} sets nothing: it changes nothing` };
      continue;
    }
    const setters = (among: readonly Peer[], name: string): readonly Cidr[] =>
      among.filter((other) => other.stanza.options.has(name)).map((other) => other.cidr);
    const hidden = (name: string): boolean =>
      covered(
        cidr,
        setters(
          peers.filter((other) => other.cidr.prefix > cidr.prefix),
          name,
        ),
      ) ||
      (innerPeers.length > 0 && innerPeers.every((each) => covered(cidr, setters(each, name))));
    const lost = names.filter(hidden);
    if (lost.length === names.length)
      yield {
        place: stanza.at,
        text: `${stanzaTitle(stanza)} never counts: more specific Peer stanzas set ${lost.map(spelling).join(', ')} for all of its addresses`,
      };
  }
}

interface Peer {
  readonly stanza: Stanza;
  readonly cidr: Cidr;
}

function peersOf(container: Stanza): readonly Peer[] {
  return [...(container.children.get('peer')?.values() ?? [])].flatMap((stanza) => {
    const cidr = parseCidr(stanza.instance);
    return cidr ? [{ stanza, cidr }] : [];
  });
}
