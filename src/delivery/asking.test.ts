import { describe, expect, test } from 'vitest';
import type { Item } from '../queue/index.ts';
import type { Extensions } from '../smtp/index.ts';
import { asking, limitOf } from './asking.ts';

const extensions = (...keywords: readonly string[]): Extensions => ({
  pipelining: true,
  size: undefined,
  keywords: new Map(
    keywords.map((each) => {
      const blank = each.indexOf(' ');
      return blank === -1 ? [each, ''] : [each.slice(0, blank), each.slice(blank + 1)];
    }),
  ),
});

test.each([
  ['RCPTMAX=20', 20],
  ['MAILMAX=5 rcptmax=20', 20],
  ['RCPTMAX=20 X=1', 20],
  ['RCPTMAX=0', 0],
  ['RCPTMAX=many', 0],
  ['RCPTMAX=1234567', 0],
  ['XRCPTMAX=3', 0],
  ['', 0],
])('LIMITS %s', (said, expected) => {
  expect(limitOf(extensions(`LIMITS ${said}`), 'RCPTMAX')).toBe(expected);
});

test('a server without LIMITS names none', () => {
  expect(limitOf(extensions('DSN'), 'MAILMAX')).toBe(0);
});

describe('an original recipient beyond ASCII', () => {
  const item = (path: string): Item =>
    ({
      recipient: 0,
      message: {
        envelope: { reversePath: 'a@b.test', recipients: [{ path, requests: { orcpt: 'utf-8;\xc3\xbc@x' } }] },
      },
    }) as unknown as Item;

  test('stands as it is where SMTPUTF8 is said', () => {
    const { recipientParameters, mailParameters } = asking(
      [item('\xc3\xbc@x')],
      extensions('DSN', 'SMTPUTF8', '8BITMIME'),
      false,
    );
    expect([mailParameters, recipientParameters]).toEqual([' SMTPUTF8', [' ORCPT=utf-8;\xc3\xbc@x']]);
  });

  test('is embedded in ASCII where it is not', () => {
    const { recipientParameters, mailParameters } = asking([item('u@x')], extensions('DSN'), false);
    expect([mailParameters, recipientParameters]).toEqual(['', [' ORCPT=utf-8;\\x{FC}@x']]);
  });
});
