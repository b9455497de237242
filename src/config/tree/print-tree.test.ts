import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';

const anyText = fc
  .string({ unit: 'grapheme', maxLength: 10 })
  .map((text) => text.replaceAll('\0', ''))
  .filter((text) => text.isWellFormed());
const quoted = anyText.map((text) => `"${text.replace(/["\\]/g, '\\$&').replaceAll('\r', '\\r')}"`);
const label = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const options = fc.array(
  fc.oneof(
    fc.nat(1000).map((count) => `Max_Retries = ${count}`),
    fc.nat(1000).map((count) => `retry_interval = "${count}s"`),
    quoted.map((text) => `Gateway = ${text}`),
    fc.constantFrom('TLS = required', 'Force_Fsync = off', 'Relay_Hosts ( 10.0.0.0/8, ::1 )'),
  ),
  { maxLength: 4 },
);
const inGlobal = (lines: readonly string[]): string => lines.join('\n');
const sending = (lines: readonly string[]): string => lines.filter((line) => !/^(?:Force|Relay)/.test(line)).join('\n');
const stanza = fc.oneof(
  fc.tuple(label, options).map(([name, lines]) => `Domain "${name}.test" {\n${sending(lines)}\n}`),
  fc.tuple(label, options).map(([name, lines]) => `Domain "/(^|\\.)${name}[.]test$/" {\n${sending(lines)}\n}`),
  fc
    .tuple(label, label, options, options)
    .map(
      ([group, name, outer, inner]) =>
        `BINDING_GROUP "${group}" {\n${sending(outer)}\nbinding ${name} = {\n${sending(inner)}\n}\n}`,
    ),
  fc
    .tuple(fc.integer({ min: 1, max: 65_535 }), fc.array(fc.tuple(quoted, quoted), { maxLength: 3 }))
    .map(
      ([port, entries]) =>
        `ESMTP_Listener { Listen "*:${port}" { } Context [ ${entries.map(([key, value]) => `${key} = ${value}`).join(', ')} ] }`,
    ),
);

test('what is printed of any configuration is read as the same configuration, and printed as the same text', async () => {
  await fc.assert(
    fc.asyncProperty(options, fc.array(stanza, { maxLength: 6 }), async (lines, stanzas) => {
      const { configuration } = await configured([inGlobal(lines), ...stanzas].join('\n'), []);
      const text = configuration.printed('text');
      const again = (await configured(text, [])).configuration;
      expect(again.printed('text')).toBe(text);
      expect(again.current.hash).toBe(configuration.current.hash);
      expect(again.printed('json')).toBe(configuration.printed('json'));
      expect(again.printed('xml')).toBe(configuration.printed('xml'));
    }),
    { numRuns: 200 },
  );
});
