import type { LintRule } from './rule.ts';

export const controlPublic: LintRule = {
  id: 'control-public',
  summary: 'the console listens where others can reach it, without encryption',
  *find(subject) {
    for (const door of subject.doors('control_listener')) {
      if (door.reach !== 'local')
        yield {
          place: door.listen.at,
          text: `the console at ${door.title} can be reached over the network and is not encrypted: whoever reads along, or gets in, may do everything`,
          suggestion: 'Listen "/run/impetus/2025" { }',
        };
    }
  },
};
