import { parseAddress } from '../../base/index.ts';
import { spelling } from '../schema/spelling.ts';
import { stanzasOf } from './effective.ts';
import type { LintRule } from './rule.ts';

/** Names by which this server presents itself to others. */
const NAMES = ['hostname', 'banner_hostname', 'received_hostname', 'ehlo_hostname'];

export const nonFqdnHostname: LintRule = {
  id: 'hostname-not-fqdn',
  summary: 'a name that this server gives to others and that nobody can look up',
  *find({ generation }) {
    for (const { stanza } of stanzasOf(generation.tree)) {
      for (const name of NAMES) {
        const set = stanza.options.get(name);
        if (set?.value.kind !== 'text' || set.value.text === '' || /^__\w+__$/.test(set.value.text)) continue;
        const host = set.value.text.toLowerCase().replace(/\.$/, '');
        if (host.startsWith('[') || parseAddress(host) !== undefined) continue;
        if (!host.includes('.') || /(?:^|\.)(?:localhost|localdomain|local|internal|lan)$/.test(host))
          yield {
            place: set.value.at,
            text: `${spelling(name)} = ${set.value.text} is no name that others can look up: many servers refuse mail for it (RFC 5321, 2.3.5)`,
          };
      }
    }
  },
};
