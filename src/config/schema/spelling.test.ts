import { expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { spelling } from './spelling.ts';

test.each([
  'API_Store_File',
  'AuthScramSha256Parameters',
  'EHLO_Timeout',
  'ESMTP_Listener',
  'Max_Outbound_Connections',
  'NAS-IP-Address',
  'Prefer_IPv6_MXs',
  'RFC2822_Lone_LF_in_Body',
  'Require_EHLO',
  'Send_8BitMime',
  'TLS_SNI_Certificates',
  'ThreadPool',
])('%s is shown as the manual and our pages spell it', (name) => {
  expect(spelling(name.toLowerCase())).toBe(name);
});

test('what is shown is the same name: only the case of letters differs', () => {
  const names = [...catalogue.options, ...catalogue.scopes, ...catalogue.modules].map((row) => row.name);
  expect(names.filter((name) => spelling(name).toLowerCase() !== name)).toEqual([]);
});
