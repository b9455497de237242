import { type Endpoint, parseEndpoint } from '../../base/index.ts';
import { Notice } from '../errors.ts';
import type { Findings } from './merge.ts';
import type { Stanza } from './stanza.ts';

/**
 * An address and the wildcard of one port cannot listen together, at least on Linux. Only the system knows, so it is no
 * error; but whoever checks a configuration should hear of it before the start does.
 */
export function overlappingEndpoints(root: Stanza, findings: Pick<Findings, 'notices'>): void {
  const ports = new Map<string, { readonly wildcard: Stanza[]; readonly addresses: Stanza[] }>();
  for (const [type, ofType] of root.children) {
    const listener = ofType.get('');
    if (!type.endsWith('_listener') || !listener || disabled(listener)) continue;
    for (const listen of listener.children.get('listen')?.values() ?? []) {
      const endpoint = parseEndpoint(listen.instance);
      if (endpoint.kind !== 'tcp' || disabled(listen)) continue;
      const key = `${endpoint.ip.includes(':') ? 6 : 4} ${endpoint.port}`;
      const port = ports.get(key) ?? { wildcard: [], addresses: [] };
      ports.set(key, port);
      (isWildcard(endpoint) ? port.wildcard : port.addresses).push(listen);
    }
  }
  for (const { wildcard, addresses } of ports.values()) {
    const [all] = wildcard;
    const [one] = addresses;
    if (all === undefined || one === undefined) continue;
    const text = `Listen "${all.written ?? all.instance}" overlaps "${one.written ?? one.instance}": most systems open only one of them`;
    findings.notices.push(new Notice('warning', all.at, text));
  }
}

const isWildcard = (endpoint: Extract<Endpoint, { kind: 'tcp' }>): boolean =>
  endpoint.ip === '0.0.0.0' || endpoint.ip === '::';

function disabled(stanza: Stanza): boolean {
  const set = stanza.options.get('enable');
  return set !== undefined && set.entry.type.read(set.value) === false;
}
