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
  | { readonly kind: 'stanza'; readonly path: readonly { readonly type: string; readonly instance: string }[] };

/**
 * The stanzas that may set a value, most specific first; the first that sets the option wins. Global is not among
 * them: it stands below all chains but those of hosts and of modules.
 */
export function chainOf(root: Compiled, query: Query): readonly Compiled[] {
  switch (query.kind) {
    case 'global':
      return [];
    case 'sending':
      return sendingChain(root, query.group, query.binding, query.domain);
    case 'host':
      return hostChain(root, query.group, query.binding, query.host);
    case 'receiving':
      return receivingChain(root, query.listener, query.endpoint, query.client, query.pathway);
    case 'pathway': {
      const chain: Compiled[] = [];
      pathwayChain(root, query.pathway, chain, query.group);
      return chain;
    }
    case 'stanza': {
      let at: Compiled | undefined = root;
      for (const step of query.path) at = at?.child(step.type, step.instance);
      return at ? [at] : [];
    }
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
): readonly Compiled[] {
  const chain: Compiled[] = [];
  const group = root.child('binding_group', groupName);
  const inGroup = group?.child('binding', binding);
  const top = root.child('binding', binding);
  if (domain !== undefined) {
    inGroup?.matching('domain', domain, chain);
    top?.matching('domain', domain, chain);
    group?.matching('domain', domain, chain);
  }
  if (inGroup) chain.push(inGroup);
  if (top) chain.push(top);
  if (group) chain.push(group);
  if (domain !== undefined) root.matching('domain', domain, chain);
  return chain;
}

/** Spec 7.2: nothing but host stanzas, and the group before the binding. */
function hostChain(root: Compiled, groupName: string, binding: string, host: string): readonly Compiled[] {
  const chain: Compiled[] = [];
  const group = root.child('binding_group', groupName);
  group?.child('binding', binding)?.matching('host', host, chain);
  group?.matching('host', host, chain);
  root.child('binding', binding)?.matching('host', host, chain);
  root.matching('host', host, chain);
  return chain;
}

/** Spec 7.5. Peer blocks of the listener stand before Listen: the manual's session caps count only that way. */
function receivingChain(
  root: Compiled,
  type: string,
  endpoint: string | undefined,
  client: string | undefined,
  pathway: string | undefined,
): readonly Compiled[] {
  const chain: Compiled[] = [];
  const listener = root.child(type, '');
  const listen = endpoint === undefined ? undefined : listener?.child('listen', endpoint);
  if (client !== undefined) {
    if (listen) chain.push(...listen.peers(client));
    if (listener) chain.push(...listener.peers(client));
  }
  if (listen) chain.push(listen);
  if (listener) chain.push(listener);
  pathwayChain(root, pathway ?? namedPathway(chain), chain, undefined);
  return chain;
}

/** The option `pathway`, which the stanzas of a listener may set. */
function namedPathway(chain: readonly Compiled[]): string {
  for (const { stanza } of chain) {
    const value = stanza.options.get('pathway')?.value;
    if (value?.kind === 'text') return value.text;
  }
  return 'default';
}

function pathwayChain(root: Compiled, name: string, chain: Compiled[], groupName: string | undefined): void {
  const group = groupName === undefined ? groupOfPathway(root.stanza, name) : groupName;
  const container = group === undefined ? undefined : root.child('pathway_group', group);
  const inner = container?.child('pathway', name);
  const top = root.child('pathway', name);
  if (inner) chain.push(inner);
  if (top) chain.push(top);
  if (container) chain.push(container);
}

/** The first group that has a pathway of this name. */
export function groupOfPathway(root: Stanza, name: string): string | undefined {
  for (const [group, stanza] of root.children.get('pathway_group') ?? []) {
    if (stanza.children.get('pathway')?.has(name)) return group;
  }
  return undefined;
}
