import type { LintRule } from './rule.ts';

export const forceFsync: LintRule = {
  id: 'force-fsync',
  summary: 'accepted mail is not forced to disk',
  *find({ generation }) {
    const set = generation.tree.options.get('force_fsync');
    if (set?.values[0] === false)
      yield { place: set.at, text: 'Force_Fsync is false: a power cut may lose mail that was acknowledged' };
  },
};
