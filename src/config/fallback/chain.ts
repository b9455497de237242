import { type Endpoint, endpointText } from '../../base/index.ts';
import type { ListenerType } from '../live/generation.ts';
import type { Stanza } from '../tree/stanza.ts';
import type { Compiled } from './compile.ts';

/** Which value is asked for: everything that spec/config 7 makes it depend on. */
export type Query =
  | { readonly kind: 'global' }
  | { readonly kind: 'sending'; readonly group: string; readonly binding: string; readonly domain: string | undefined }
  | { readonly kind: 'host'; readonly group: string; readonly binding: string; readonly host: string }
  | {
      readonly kind: 'receiving';
      readonly listener: string;
      readonly endpoint: string | undefined;
      readonly client: string | undefined;
      readonly pathway: string | undefined;
    }
  | { readonly kind: 'pathway'; readonly group: string | undefined; readonly pathway: string }
  | { readonly kind: 'stanza'; readonly path: readonly QueryStep[] };

interface QueryStep {
  readonly type: string;
  readonly instance: string;
  /** As somebody has written it, for people. */
  readonly written?: string | undefined;
}

/**
 * Hears of each place that is asked, most specific first. `rank` is that of spec/config 7; together with the query it
 * says which place is meant, also where no stanza stands.
 */
export interface Asked {
  /** One stanza, or the place where it is missing. */
  one(rank: number, found: Compiled | undefined): void;
  /** The literal stanza for a name in a container, then the regexes that match it. */
  matching(rank: number, container: Compiled | undefined, type: 'domain' | 'host', name: string): void;
  /** The blocks of a container that hold an address, longest prefix first. */
  peers(rank: number, container: Compiled | undefined, client: string): void;
  /** Which pathway stands behind a listener, and which stanza has named it. */
  pathwayIs?(name: string, group: string | undefined, namedBy: Compiled | undefined): void;
  /** The stanzas that were found so far. */
  readonly found: readonly Compiled[];
}

/**
 * The stanzas that may set a value, most specific first; the first that sets the option wins. Global is not among
 * them: it stands below all chains but those of hosts and of modules.
 */
export function chainOf(root: Compiled, query: Query): readonly Compiled[] {
  const chain = new Chain();
  askAlong(root, query, chain);
  return chain.found;
}

/** Asks all places that a value may come from in their order: the one walk for whoever resolves and whoever explains. */
export function askAlong(root: Compiled, query: Query, asked: Asked): void {
  switch (query.kind) {
    case 'global':
      return;
    case 'sending':
      return sendingChain(root, query.group, query.binding, query.domain, asked);
    case 'host':
      return hostChain(root, query.group, query.binding, query.host, asked);
    case 'receiving':
      return receivingChain(root, query.listener, query.endpoint, query.client, query.pathway, asked);
    case 'pathway':
      return pathwayChain(root, query.pathway, asked, query.group, undefined);
    case 'stanza': {
      let at: Compiled | undefined = root;
      for (const step of query.path) at = at?.child(step.type, step.instance);
      return asked.one(1, at);
    }
  }
}

/** Keeps what is there. */
class Chain implements Asked {
  readonly found: Compiled[] = [];

  one(_rank: number, found: Compiled | undefined): void {
    if (found) this.found.push(found);
  }

  matching(_rank: number, container: Compiled | undefined, type: 'domain' | 'host', name: string): void {
    container?.matching(type, name, this.found);
  }

  peers(_rank: number, container: Compiled | undefined, client: string): void {
    if (container) this.found.push(...container.peers(client));
  }
}

/** @returns whether Global, and below it the general defaults, stand behind a chain */
export function fallsToGlobal(query: Query): boolean {
  return query.kind !== 'host' && query.kind !== 'stanza';
}

/** A client of a Unix socket counts as loopback (manual: listeners). */
export function clientAddress(client: string): string {
  return client === '' || client.startsWith('/') ? '127.0.0.1' : client;
}

export function receivingQuery(
  listener: ListenerType,
  endpoint: Endpoint,
  client: string,
  pathway: string | undefined,
): Query {
  return { kind: 'receiving', listener, endpoint: endpointText(endpoint), client: clientAddress(client), pathway };
}

/** Spec 7.1. The domain stanzas of the group stand before the binding: that is deliberate, and easy to get wrong. */
function sendingChain(
  root: Compiled,
  groupName: string,
  binding: string,
  domain: string | undefined,
  asked: Asked,
): void {
  const group = root.child('binding_group', groupName);
  const inGroup = group?.child('binding', binding);
  const top = root.child('binding', binding);
  if (domain !== undefined) {
    asked.matching(1, inGroup, 'domain', domain);
    asked.matching(2, top, 'domain', domain);
    asked.matching(3, group, 'domain', domain);
  }
  asked.one(4, inGroup);
  asked.one(5, top);
  asked.one(6, group);
  if (domain !== undefined) asked.matching(7, root, 'domain', domain);
}

/** Spec 7.2: nothing but host stanzas, and the group before the binding. */
function hostChain(root: Compiled, groupName: string, binding: string, host: string, asked: Asked): void {
  const group = root.child('binding_group', groupName);
  asked.matching(1, group?.child('binding', binding), 'host', host);
  asked.matching(2, group, 'host', host);
  asked.matching(3, root.child('binding', binding), 'host', host);
  asked.matching(4, root, 'host', host);
}

/** Spec 7.5. Peer blocks of the listener stand before Listen: the manual's session caps count only that way. */
function receivingChain(
  root: Compiled,
  type: string,
  endpoint: string | undefined,
  client: string | undefined,
  pathway: string | undefined,
  asked: Asked,
): void {
  const listener = root.child(type, '');
  const listen = endpoint === undefined ? undefined : listener?.child('listen', endpoint);
  if (client !== undefined) {
    if (endpoint !== undefined) asked.peers(1, listen, client);
    asked.peers(2, listener, client);
  }
  if (endpoint !== undefined) asked.one(3, listen);
  asked.one(4, listener);
  const namedBy = pathway === undefined ? namesPathway(asked.found) : undefined;
  pathwayChain(root, pathway ?? (namedBy ? pathwayOf(namedBy) : undefined) ?? 'default', asked, undefined, namedBy);
}

/** The option `pathway`, which the stanzas of a listener may set. */
function namesPathway(chain: readonly Compiled[]): Compiled | undefined {
  return chain.find((each) => pathwayOf(each) !== undefined);
}

function pathwayOf({ stanza }: Compiled): string | undefined {
  const value = stanza.options.get('pathway')?.value;
  return value?.kind === 'text' ? value.text : undefined;
}

function pathwayChain(
  root: Compiled,
  name: string,
  asked: Asked,
  groupName: string | undefined,
  namedBy: Compiled | undefined,
): void {
  const group = groupName === undefined ? groupOfPathway(root.stanza, name) : groupName;
  const container = group === undefined ? undefined : root.child('pathway_group', group);
  asked.pathwayIs?.(name, group, namedBy);
  if (group !== undefined) asked.one(5, container?.child('pathway', name));
  asked.one(6, root.child('pathway', name));
  if (group !== undefined) asked.one(7, container);
}

/** The first group that has a pathway of this name. */
export function groupOfPathway(root: Stanza, name: string): string | undefined {
  for (const [group, stanza] of root.children.get('pathway_group') ?? []) {
    if (stanza.children.get('pathway')?.has(name)) return group;
  }
  return undefined;
}
