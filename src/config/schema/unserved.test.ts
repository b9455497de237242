import { expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';
import { integer, option } from '../index.ts';

test('an option that nobody reads in that scope is named by the check, and where it is read it is not', async () => {
  const declared = [option('max_resident_messages', integer, { unservedIn: ['binding'] })];
  const text = 'Max_Resident_Messages = 5\nBinding "b" { Max_Resident_Messages = 6 }\n';
  const { configuration } = await configured(text, declared);
  expect(configuration.notImplemented.map((each) => each.text)).toEqual(['Max_Resident_Messages in Binding']);
});
