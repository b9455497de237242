import { expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';

const warnings = async (text: string): Promise<readonly string[]> => {
  const { configuration } = await configured(text, []);
  return configuration.notices.filter((notice) => notice.kind === 'warning').map((notice) => notice.line);
};

test.each<[string, string]>([
  ['in one listener', 'ESMTP_Listener { Listen "127.0.0.1:25" { } Listen "*:25" { } }'],
  ['in two', 'ESMTP_Listener { Listen "*:25" { } }\nHTTP_Listener { Listen "127.0.0.1:25" { } }'],
])('an address beside its wildcard is worth a warning, %s', async (_, text) => {
  expect(await warnings(text)).toEqual([
    expect.stringMatching(/: warning: Listen "\*:25" overlaps "127\.0\.0\.1:25": most systems open only one of them$/),
  ]);
});

test.each([
  'Listen "*:25" { } Listen "[*]:25" { }',
  'Listen "*:25" { } Listen "[::1]:25" { } Listen "127.0.0.1:26" { }',
  'Listen "*:25" { } Listen "127.0.0.1:25" { Enable = false }',
  'Enable = off Listen "*:25" { } Listen "127.0.0.1:25" { }',
  'Listen "10.0.0.1:25" { } Listen "10.0.0.2:25" { } Listen "/s" { }',
])('%s is not', async (listens) => {
  expect(await warnings(`ESMTP_Listener { ${listens} }`)).toEqual([]);
});
