import type { Assignment } from '../tree/stanza.ts';
import { BOOLEANS } from '../values/value-types.ts';
import { effective, textsOf } from './effective.ts';
import type { LintRule } from './rule.ts';

export const authWithoutTls: LintRule = {
  id: 'auth-without-tls',
  summary: 'AUTH is offered where the connection cannot be encrypted',
  *find(subject) {
    for (const door of subject.doors('esmtp_listener')) {
      if (door.reach === 'local') continue;
      for (const { query } of door.clients) {
        const extensions = effective(subject.generation, query, 'smtp_extensions');
        const words = textsOf(extensions).map((text) => text.trim().toUpperCase());
        const mechanism = words.find((word) => /^AUTH\b/.test(word));
        if (!extensions || mechanism === undefined) continue;
        // TLS from the first byte: STARTTLS has no place there.
        if (isTrue(effective(subject.generation, query, 'use_ssl'))) continue;
        const why = !words.includes('STARTTLS')
          ? 'STARTTLS is not offered'
          : effective(subject.generation, query, 'tls_certificate') === undefined
            ? 'there is no TLS_Certificate, so STARTTLS cannot work'
            : undefined;
        if (why !== undefined)
          yield {
            place: extensions.value.at,
            text: `${mechanism} is offered at ${door.title} and ${why}: passwords can be read, or guessed from what is read`,
          };
      }
    }
  },
};

const isTrue = (assigned: Assignment | undefined): boolean =>
  BOOLEANS.get(textsOf(assigned)[0]?.toLowerCase() ?? '') === true;
