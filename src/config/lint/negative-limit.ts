import { spelling } from '../schema/spelling.ts';
import { stanzaTitle } from '../tree/stanza.ts';
import { stanzasOf } from './effective.ts';
import type { LintRule } from './rule.ts';

/** Limits that are counted with; below zero means "no limit" in Host stanzas only (manual: max_outbound_connections). */
const LIMITS = ['max_outbound_connections', 'server_max_outbound_connections', 'scope_max_outbound_connections'];

export const negativeLimit: LintRule = {
  id: 'negative-limit',
  summary: 'a limit of connections below zero outside of Host, which is no limit at all',
  *find({ generation }) {
    for (const { stanza } of stanzasOf(generation.tree)) {
      if (stanza.type === 'host') continue;
      for (const name of LIMITS) {
        const set = stanza.options.get(name);
        const value = set?.values[0];
        if (set && (typeof value === 'number' || typeof value === 'bigint') && value < 0)
          yield {
            place: set.value.at,
            text: `${spelling(name)} = ${value} in ${stanzaTitle(stanza)} is below zero: connections are not limited`,
          };
      }
    }
  },
};
