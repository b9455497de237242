import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';
import { option } from '../schema/declare.ts';
import { integer } from '../values/value-types.ts';
import { countChanges } from './count-changes.ts';
import { differences, settingsIn } from './diff.ts';
import { finished, share } from './share.ts';

const declared = [option('max_outbound_connections', integer)];

const setting = fc
  .integer({ min: 0, max: 3 })
  .map((value) => (value === 0 ? '' : `Max_Outbound_Connections = ${value}`));
const domain = fc
  .tuple(fc.constantFrom('a.test', 'b.test', '/x/', '/y/', '/z/'), setting)
  .map(([name, inside]) => `Domain "${name}" { ${inside} }`);
const domains = fc.array(domain, { maxLength: 5 }).map((all) => all.join('\n'));
const text = fc
  .tuple(setting, domains, fc.constantFrom('', 'b1', 'b2'), domains)
  .map(
    ([top, outside, binding, inside]) =>
      `${top}\n${outside}\n${binding === '' ? '' : `Binding "${binding}" { ${inside} }`}\n`,
  );

test('what is counted is what a list of the differences would count, also when stanzas are shared', async () => {
  await fc.assert(
    fc.asyncProperty(text, text, async (one, other) => {
      const from = (await configured(one, declared)).configuration.current.tree;
      const to = share(from, (await configured(other, declared)).configuration.current.tree);
      const { settings, stanzas } = finished(countChanges(from, to));
      expect(settings).toBe(settingsIn(differences(from, to)));
      expect(stanzas === 0).toBe(from === to);
    }),
    { numRuns: 200 },
  );
});
