import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CharacterSets } from './character-set.ts';
import { Matcher } from './matcher.ts';
import { programOf } from './matcher-program.ts';
import { compilePattern } from './pattern.ts';
import { readPattern } from './pattern-reader.ts';
import { mostWork } from './pattern-work.ts';

/** What operators write in Domain and Host stanzas, and in rules about replies. */
const REALISTIC = String.raw`
^(.*\.)?yahoo\.(com|co\.[a-z]{2})$
(^|[.])test$
^mx[0-9]+\.example\.net$
yahoo
^yahoo\.
\.yahoo\.com$
^(.+\.)?gmail\.com$
^(gmail|googlemail)\.com$
^(?:.*\.)?(?:gmail|googlemail)\.com$
^(hotmail|live|msn|outlook)\.[a-z]{2,3}(\.[a-z]{2})?$
^hotmail\.(com|co\.uk|fr|de|it|es)$
^(.*\.)?(aol|aim|netscape)\.(com|net)$
^.*\.(edu|gov|mil)$
\.(edu|gov|mil)(\.[a-z]{2})?$
^(.*)\.example\.com$
^.*\.example\.com$
^.+\.example\.com$
.*\.example\.com$
.*\.example\.com
.*example.*
^.*example.*$
example\.(com|net|org)
[.]cn$
\.(ru|su|by|kz|ua)$
^[a-z]{2}\.yahoo\.com$
^(mail|mx|smtp)[0-9]*\.
^(mail|mx|smtp)[0-9]*\.[a-z0-9-]+\.(com|net|org)$
^mx[0-9]{1,3}\.mail\.ru$
^mta[0-9]+\.am0\.yahoodns\.net$
^.*\.yahoodns\.net$
^alt[1-4]\.gmail-smtp-in\.l\.google\.com$
^(alt[1-4]\.)?aspmx\.l\.google\.com$
^aspmx[2-5]?\.google(mail)?\.com$
\.mail\.protection\.outlook\.com$
^[a-z0-9-]+\.mail\.protection\.outlook\.com$
^[a-z0-9-]+(\.[a-z0-9-]+)*\.olc\.protection\.outlook\.com$
^([a-z0-9-]+\.)*example\.com$
^([a-z0-9-]+\.)+example\.com$
^([a-z0-9-]+\.)+[a-z]{2,}$
^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+com$
^([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]{2,}$
^[^.]+\.example\.com$
^[^.]+\.[^.]+$
^([^.]+\.)?example\.(com|net)$
^[^.]*\.?example\.com$
^\w+\.example\.com$
^\w+(\.\w+)*\.example\.org$
^[\w.-]+\.example\.org$
^[\w-]+\.(?:de|at|ch)$
(^|\.)(icloud|me|mac)\.com$
(^|\.)(comcast|xfinity)\.net$
(^|\.)t-online\.de$
(?:^|\.)orange\.(fr|es|pl)$
(?:^|[.])free\.fr$
(?:^|[.])(?:gmx|web)\.(?:de|net|at|ch)$
^((mail|smtp)\.)?(example|sample)\.(com|net)$
^(?!mail\.).*\.example\.com$
^(?!.*\.example\.com$).*\.com$
(?<!not)example\.com$
(?<=\.)example\.com$
^\d+\.\d+\.\d+\.\d+$
^[0-9]{1,3}(\.[0-9]{1,3}){3}$
^\[IPv6:[0-9a-f:]+\]$
^192\.0\.2\.
^10\.[0-9]+\.
^xn--
\.xn--[a-z0-9-]+$
^(.*[.])?rr\.com$
^.*[.]rr[.]com$
rr\.com$
^(?:.+\.)?(?:rr|roadrunner|twc|spectrum)\.(?:com|net)$
^(.*\.)?(bell|sympatico|rogers|shaw|telus)\.(ca|net)$
^(.*\.)?(verizon|sprint|att|sbcglobal|bellsouth|pacbell|prodigy|swbell|flash|ameritech|nvbell|snet|wans)\.net$
^(btinternet|btopenworld|talk21)\.com$
^(.*\.)?virgin(media)?\.(com|net)$
^(ntlworld|blueyonder|virgin)\.(com|co\.uk|net)$
^(.*\.)?(libero|virgilio|tin|alice|tim)\.it$
^(.*\.)?(wanadoo|laposte|sfr|neuf|numericable)\.(fr|net)$
^(.*\.)?(docomo|ezweb|softbank)\.(ne\.)?jp$
^(qq|163|126|sina|sohu)\.(com|net|cn)$
^(.*\.)?(mail|bk|inbox|list)\.ru$
^(.*\.)?(uol|bol|terra|ig)\.com\.br$
^host-[0-9]+-[0-9]+\.example\.net$
^(?i)x$`
  .split('\n')
  .filter((line) => line !== '' && !line.includes('^(?i)'))
  .concat(
    String.raw`
^4[25]1 .*(greylist|grey-list|try again later)
(?i)^5\d\d .*(spam|blocked|blacklist)
(?i)blocked using [a-z0-9.-]+
(?i)^421.*too many (connections|messages)
^4\d\d[ -]4\.7\.\d+
(?i)rate limit(ed)? exceeded
(?i)user (is )?(unknown|disabled)
(?i)(mailbox|user|recipient).*(full|over ?quota)
^550 5\.1\.1
(?i)throttl(ed|ing)
(?i)resources temporarily unavailable
(?i)(IP|address) .* (is )?(listed|blocked)
^452[ -]4\.2\.2
(?i)temporarily deferred
\[(TS|RL|TSS)[0-9]+\]
(?i)^(config|show|binding).*
^show .*
^(fail|flush|active|delayed) domain \S+$`
      .split('\n')
      .filter((line) => line !== ''),
  );

test('there are a hundred', () => {
  expect(REALISTIC.length).toBeGreaterThanOrEqual(100);
});

test.each(REALISTIC)('%s is harmless', (source) => {
  const pattern = compilePattern(source, { ignoreCase: true });
  expect(pattern.harmless).toBe(true);
  expect(pattern.unbounded).toBe(false);
});

/** Each with a text that was made for it: V8 alone would take longer than anybody waits for the exponential ones. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['^(a+)+$', `${'a'.repeat(250)}!`],
  ['^([a-z]+)*$', `${'a'.repeat(250)}!`],
  ['^([a-z0-9-]+\\.?)+$', `${'a'.repeat(250)}!`],
  ['^(([a-z0-9])+.)+[A-Z]([a-z])+$', `${'a'.repeat(250)}!`],
  ['^(a|aa)+$', `${'a'.repeat(250)}!`],
  ['^(.*)*x$', 'a'.repeat(250)],
  ['^(.*\\.)*com$', `${'a.'.repeat(125)}!`],
  ['(.*\\..*\\..*\\.)+com$', `${'a.'.repeat(125)}!`],
  ['^(\\w*\\.?\\w*)*$', `${'a'.repeat(250)}!`],
  ['^(?=(a+)+$)a', `${'a'.repeat(250)}!`],
  ['^(?!(a+)+$)b', `${'a'.repeat(250)}!`],
  ['^.*.*.*.*.*.*x$', 'a'.repeat(250)],
  ['^(?:a?){60}a{60}$', 'a'.repeat(59)],
  ['(x+x+)+y', 'x'.repeat(250)],
  ['(?:[a-z]+[0-9]?)+!', 'a'.repeat(250)],
];

describe('a pattern with catastrophic backtracking against a hostile name', () => {
  test.each(HOSTILE)('%s is not harmless, and answers all the same', (source, text) => {
    const pattern = compilePattern(source, { ignoreCase: true });
    expect(pattern.harmless).toBe(false);
    expect(pattern.test(text)).toBe(false);
  });
});

/** The worst text we can think of for each harmless pattern must agree with what was judged: V8 is asked and timed. */
test('what is judged harmless takes no time whatever the name', () => {
  const names = ['a', 'a.', 'a-', '.', 'x', 'yahoo.', '1', '1.', 'mail.', 'rr.com.', 'example.com.', '-', 'aa.bb-'];
  const began = performance.now();
  for (const source of REALISTIC) {
    const pattern = compilePattern(source, { ignoreCase: true });
    for (const piece of names) pattern.test(`${piece.repeat(Math.ceil(255 / piece.length)).slice(0, 254)}!`);
  }
  // 1300 searches at their worst. The bound is one that a hang breaks and a busy machine does not.
  expect(performance.now() - began).toBeLessThan(10_000);
});

const leaf = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', 'c', '^', '$', '\\b', 'aa', 'ab');
const { pattern: anyPattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 5, depthSize: 'large' },
    leaf,
    fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => one + other),
    fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(?:${one}|${other})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '{0,3}', '{2,}'))
      .map(([inner, times]) => `(?:${inner})${times}`),
    fc.tuple(tie('pattern'), fc.constantFrom('(?>', '(?=', '(?!')).map(([inner, opening]) => `${opening}${inner})`),
  ),
}));

/** Repeated pieces are what hurts, and an end that cannot match makes every way be tried. */
const hostile = fc
  .tuple(fc.constantFrom('a', 'ab', 'aab', 'b', 'aac', 'abb'), fc.constantFrom('', 'c', '!', '\n'))
  .map(([piece, end]) => piece.repeat(60).slice(0, 59) + end);

test('no search takes more steps than was judged, with a matcher that tries everything', () => {
  let checked = 0;
  fc.assert(
    fc.property(anyPattern, hostile, (source, text) => {
      const tree = readPattern(source, false);
      const sets = new CharacterSets(false);
      const work = mostWork(tree, sets, text.length);
      // One step that is counted is at most ten of the matcher's, which gives up at a million.
      if (work > 100_000) return;
      checked++;
      const forgetting = { ...programOf(tree, sets), forgetful: false };
      expect(new Matcher(forgetting).search(text).kind).not.toBe('gave up');
    }),
    { numRuns: 4000 },
  );
  expect(checked).toBeGreaterThan(1000);
});
