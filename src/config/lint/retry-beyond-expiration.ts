import { effectiveValue, sendingValue, stanzasOf } from './effective.ts';
import type { LintRule } from './rule.ts';

const SENDING = new Set(['global', 'binding_group', 'binding', 'domain']);

export const retryBeyondExpiration: LintRule = {
  id: 'retry-beyond-expiration',
  summary: 'mail expires before it is tried a second time',
  *find({ generation, schema }) {
    for (const at of stanzasOf(generation.tree)) {
      const { stanza } = at;
      if (!SENDING.has(stanza.type)) continue;
      const own = stanza.options.get('retry_interval') ?? stanza.options.get('message_expiration');
      if (!own) continue;
      const retry = effectiveValue(
        schema,
        sendingValue(generation, at, 'retry_interval'),
        stanza.type,
        'retry_interval',
      );
      const life = effectiveValue(
        schema,
        sendingValue(generation, at, 'message_expiration'),
        stanza.type,
        'message_expiration',
      );
      if (typeof retry === 'number' && typeof life === 'number' && life > 0 && retry >= life)
        yield {
          place: own.at,
          text: `Retry_Interval is ${retry} and Message_Expiration ${life} here: mail expires before its first retry`,
        };
    }
  },
};
