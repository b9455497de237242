import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replyText } from '../smtp/index.ts';
import { RuleError } from './action.ts';
import { actionFor, parseRule, parseRules } from './rules.ts';

const of = (path: string, ...rules: string[]): string => {
  const action = actionFor(path, rules.map(parseRule));
  return `${action.behaviour} ${action.stage ?? 'everywhere'} ${action.delay} ${replyText(action.reply)}`;
};

describe('without rules, the local part says what happens', () => {
  test('an unknown recipient is accepted', () => {
    expect(of('joe@dest.example')).toBe('accept dot 0 250 2.1.5 recipient accepted');
    expect(of('accept-1@dest.example')).toBe(of('joe@dest.example'));
    expect(of('')).toBe(of('joe@dest.example'));
  });

  test('each behaviour has its usual reply', () => {
    expect(of('refuse@any.domain')).toBe('refuse rcpt 0 550 5.1.1 no such mailbox here');
    expect(of('Defer@any.domain')).toBe('defer rcpt 0 450 4.2.1 mailbox temporarily unavailable');
    expect(of('slow@any.domain')).toMatch(/^slow everywhere 5000 /);
    expect(of('drop@any.domain')).toMatch(/^drop data /);
    expect(of('busy@any.domain')).toBe('busy rcpt 5000 421 4.3.2 server busy, try again later');
    expect(of('grey@any.domain')).toBe('grey rcpt 5000 450 4.7.1 greylisted, try again later');
    expect(of('graylisted@any.domain')).toBe(of('grey@any.domain'));
  });

  test('modifiers name a code, a time and a stage', () => {
    expect(of('defer-421@d.example')).toMatch(/^defer rcpt 0 421 4\.7\.0 /);
    expect(of('refuse-552-joe@d.example')).toBe('refuse rcpt 0 552 5.2.2 mailbox full');
    expect(of('slow-300ms-dot@d.example')).toMatch(/^slow dot 300 /);
    expect(of('slow-2m@d.example')).toMatch(/^slow everywhere 120000 /);
    expect(of('drop-rcpt@d.example')).toMatch(/^drop rcpt /);
    expect(of('drop-dot+tag@d.example')).toMatch(/^drop dot /);
    expect(of('grey-1s@d.example')).toMatch(/^grey rcpt 1000 /);
    expect(of('defer-499@d.example')).toMatch(/ 499 4\.0\.0 try again later$/);
  });

  test('what is no modifier is part of a name', () => {
    expect(of('refuse-421-550x@d.example')).toBe(of('refuse@d.example'));
    expect(of('accept-dot@d.example')).toBe(of('accept@d.example'));
  });

  test('a wait is at most an hour', () => {
    expect(of('slow-9999999m@d.example')).toMatch(/^slow everywhere 3600000 /);
  });
});

describe('rules stand before local parts', () => {
  test('the first that matches decides', () => {
    const rules = ['joe@*=refuse', '*@slow.example=slow-1s', 'refuse@*=accept'];
    expect(of('JOE@slow.example', ...rules)).toMatch(/^refuse /);
    expect(of('ann@slow.example', ...rules)).toMatch(/^slow everywhere 1000 /);
    expect(of('refuse@slow.example', ...rules)).toMatch(/^slow /);
    expect(of('refuse@other.example', ...rules)).toMatch(/^accept /);
  });

  test('a pattern without @ is for a domain', () => {
    expect(of('a@full.example', 'full.example=defer-452')).toMatch(/452 4\.2\.2/);
    expect(of('a@x.full.example', 'full.example=defer-452')).toMatch(/^accept/);
    expect(of('a@x.full.example', '*.full.example=defer-452')).toMatch(/^defer/);
  });

  test('a reply may be given, whole or in part', () => {
    expect(of('a@d', '*=defer 451 4.7.500 Server busy. Please try again later')).toBe(
      'defer rcpt 0 451 4.7.500 Server busy. Please try again later',
    );
    expect(of('a@d', '*=refuse go away')).toBe('refuse rcpt 0 550 5.1.1 go away');
    expect(of('a@d', '*=refuse-dot 552')).toBe('refuse dot 0 552 no such mailbox here');
    expect(of('a@d', '*=refuse 554 no')).toBe('refuse rcpt 0 554 no');
  });

  test.each([
    ['refuse', /write PATTERN=ACTION/],
    ['=refuse', /write PATTERN=ACTION/],
    [' =refuse', /pattern is empty/],
    ['a@b=explode', /"explode" is none of accept, defer/],
    ['a@b=defer-550', /"550" says nothing to defer/],
    ['a@b=slow-fast', /"fast" says nothing to slow/],
    ['a@b=defer 550 no', /4yz/],
    ['a@b=slow 450 no', /takes no reply text/],
    ['a@b=defer 450 n\u00e9', /printable/],
  ])('%s is an error', (text, why) => {
    expect(() => parseRule(text)).toThrow(RuleError);
    expect(() => parseRule(text)).toThrow(why);
  });

  test('a table has comments, and its errors name the line', () => {
    expect(parseRules('# mine\n\n a@b = refuse \r\n*.example=slow-1s\n', 'f').map((rule) => rule.pattern)).toEqual([
      'a@b',
      '*.example',
    ]);
    expect(() => parseRules('a@b=accept\nc@d=what', 'sink.rules')).toThrow('sink.rules:2: rule "c@d=what"');
  });

  test('a glob matches exactly what the same regular expression matches', () => {
    const word = fc
      .string({ unit: fc.constantFrom('a', 'b', '@', '*'), maxLength: 8 })
      .filter((text) => text.includes('@'));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '@'), maxLength: 12 });
    fc.assert(
      fc.property(word, text, (pattern, path) => {
        const regex = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        expect(parseRule(`${pattern}=refuse`).matches(path)).toBe(regex.test(path));
      }),
    );
  });
});
