import { posix } from 'node:path';
import type { Place } from '../option.ts';
import { spelling } from '../schema/spelling.ts';
import { stanzaTitle } from '../tree/stanza.ts';
import { effectiveValue } from './effective.ts';
import type { LintRule } from './rule.ts';

/** Options that name a file which a module writes to. */
const LOGS = [
  'acctlog',
  'bouncelog',
  'delivery_logfile',
  'importlog',
  'log',
  'log_path',
  'mainlog',
  'paniclog',
  'permanent_failure_logfile',
  'reception_logfile',
  'rejection_logfile',
  'rejectlog',
  'transient_failure_logfile',
  'xfer_logfile',
];

export const logPathTwice: LintRule = {
  id: 'log-path-twice',
  summary: 'two logs are written into one file',
  *find(subject) {
    const seen = new Map<string, string>();
    for (const ofType of subject.generation.tree.children.values()) {
      for (const stanza of ofType.values()) {
        if (stanza.options.get('enabled')?.values[0] === false) continue;
        for (const name of LOGS) {
          const set = stanza.options.get(name);
          if (!subject.schema.option(stanza.type, name)) continue;
          const path = effectiveValue(subject.schema, set, stanza.type, name);
          if (typeof path !== 'string' || path === '' || path === '/dev/null') continue;
          const what = `${spelling(name)} of ${stanzaTitle(stanza)}`;
          const place: Place = set?.value.at ?? stanza.at;
          const normal = posix.normalize(path.replace(/^[a-z]+:\/\//i, ''));
          const other = seen.get(normal);
          if (other === undefined) seen.set(normal, what);
          else
            yield { place, text: `${what} is written to ${path}, where ${other} is written too: the lines are mixed` };
        }
      }
    }
  },
};
