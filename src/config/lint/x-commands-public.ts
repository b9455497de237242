import { effective, textsOf } from './effective.ts';
import type { LintRule } from './rule.ts';

/** Commands by which a client says who it is, or looks into the session. Manual: never on public endpoints. */
const TRUSTED = /^(?:XCLIENT|XREMOTEIP|XSETCONTEXT2?|XDUMPCONTEXT|ALWAYS-ALLOW)$/;

export const xCommandsPublic: LintRule = {
  id: 'x-commands-public',
  summary: 'commands for trusted clients are offered to everybody',
  *find(subject) {
    for (const door of subject.doors('esmtp_listener')) {
      if (door.reach !== 'public') continue;
      for (const { query, everybody } of door.clients) {
        const extensions = everybody ? effective(subject.generation, query, 'smtp_extensions') : undefined;
        const found = textsOf(extensions)
          .map((text) => text.trim().toUpperCase())
          .filter((word) => TRUSTED.test(word));
        if (extensions && found.length > 0)
          yield {
            place: extensions.value.at,
            text: `strangers who reach ${door.title} may use ${found.join(', ')}: set SMTP_Extensions in a Peer stanza of the trusted hosts`,
          };
      }
    }
  },
};
