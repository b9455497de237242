import { expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';
import { boolean, integer, option } from '../index.ts';

test('an option that nobody reads in that scope is named by the check, and where it is read it is not', async () => {
  const declared = [option('max_resident_messages', integer, { unservedIn: ['binding'] })];
  const text = 'Max_Resident_Messages = 5\nBinding "b" { Max_Resident_Messages = 6 }\n';
  const { configuration } = await configured(text, declared);
  expect(configuration.notImplemented.map((each) => each.text)).toEqual(['Max_Resident_Messages in Binding']);
});

test('what nobody reads in one listener is named in its Listen and Peer too, and not in those of another', async () => {
  const declared = [option('always_deny', boolean, { unservedIn: ['esmtp_listener', 'pathway'] })];
  const of = (listener: string): string =>
    `${listener} { Always_Deny = true Peer "10.0.0.1" { Always_Deny = true } Listen "/${listener}" { Always_Deny = true Peer "10.0.0.1" { Always_Deny = true } } }\n`;
  const { configuration } = await configured(of('ESMTP_Listener') + of('Control_Listener'), declared);
  expect(configuration.notImplemented.map((each) => `${each.place.line} ${each.text}`)).toEqual([
    '1 Always_Deny in ESMTP_Listener',
    '1 Always_Deny in Peer',
    '1 Always_Deny in Listen',
    '1 Always_Deny in Peer',
  ]);
});
