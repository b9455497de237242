import { effective } from './effective.ts';
import type { LintRule } from './rule.ts';

export const httpPublic: LintRule = {
  id: 'http-public',
  summary: 'statistics, or the whole HTTP interface, are open to strangers',
  *find(subject) {
    for (const door of subject.doors('http_listener')) {
      if (door.reach !== 'public') continue;
      for (const { query, everybody } of door.clients) {
        const value = (name: string) => effective(subject.generation, query, name);
        if (!everybody || value('always_deny')?.values[0] === true) continue;
        const allowed = value('always_allow');
        if (allowed?.values[0] === true)
          yield {
            place: allowed.at,
            text: `Always_Allow is true for everybody who reaches ${door.title}: they may do whatever the HTTP interface can`,
          };
        else if (value('enable_authentication')?.values[0] !== true)
          yield {
            place: door.listen.at,
            text: `strangers who reach ${door.title} may read the statistics and reset them: nobody has to log in`,
            suggestion: 'Enable_Authentication = true',
          };
      }
    }
  },
};
