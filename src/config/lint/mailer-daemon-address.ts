import { spelling } from '../schema/spelling.ts';
import { stanzasOf } from './effective.ts';
import type { LintRule } from './rule.ts';

/** Options that hold the mailbox which notices come from or go to. */
const MAILBOXES = ['mailerdaemon', 'mdn_failures_notify'];

export const mailerDaemonAddress: LintRule = {
  id: 'postmaster-address',
  summary: "the postmaster's or the mailer daemon's address has no domain",
  *find({ generation }) {
    for (const { stanza } of stanzasOf(generation.tree)) {
      for (const name of MAILBOXES) {
        const set = stanza.options.get(name);
        if (set?.value.kind !== 'text' || set.value.text === '') continue;
        if (!/^<?[^@\s]+@[^@\s]+\.[^@\s]+$/.test(set.value.text))
          yield {
            place: set.value.at,
            text: `${spelling(name)} = ${set.value.text} is no address that others can answer to: it needs a user and a whole domain`,
          };
      }
    }
  },
};
