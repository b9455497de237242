import { classify } from '../../../src/bounce/index.ts';
import { splitWords } from '../../../src/console/words.ts';
import { reply } from '../../../src/smtp/index.ts';
import { type Hosts, hostsFile, resolvConf } from '../../../src/world/resolver/index.ts';
import type { FuzzTarget } from '../target.ts';

const WORDS = [
  'nameserver',
  '127.0.0.1:5353',
  '[::1]:53',
  'options timeout:3 attempts:2',
  '::1 localhost ip6-localhost',
  'config set "a b" \\"x\\"',
  '"',
  '\\',
  '#',
  ';',
  '550 5.1.1 user unknown',
  'mailbox full',
  'blocked using',
] as const;

export const texts: FuzzTarget = {
  name: 'texts',
  about: 'lines of consoles, resolv.conf, hosts, and what peers say of failures: read, never thrown at',
  words: [...WORDS, '\n', '\t', ' ', '\0', '\u{fffd}'],
  generate(dice) {
    let text = '';
    for (let count = dice.scale(1, 12); count > 0; count--)
      text += `${dice.of(WORDS)}${dice.of([' ', '\n', '\t', ''])}`;
    return Buffer.from(text, 'utf8');
  },
  check(input) {
    const text = input.toString('utf8');
    for (const line of text.split('\n')) {
      let behind = 0;
      for (const { from, to, text: word, quoted } of splitWords(line).words) {
        if (from < behind || to < from || to > line.length) return `a word from ${from} to ${to} of ${line.length}`;
        if (!quoted && word !== line.slice(from, to))
          return `the word ${JSON.stringify(word)} is not what stands there`;
        behind = to;
      }
      const bounceClass = classify(reply(550, '5.1.1', line), 'permanent', 5);
      if (!(bounceClass >= 1 && bounceClass <= 255)) return `class ${bounceClass}`;
    }
    const { servers, timeoutMillis, attempts } = resolvConf(text);
    if (servers.length === 0 || servers.some(({ port }) => !(port >= 1 && port <= 65_535))) return 'no server to ask';
    if (!(timeoutMillis >= 1000 && timeoutMillis <= 30_000 && attempts >= 1 && attempts <= 5))
      return 'times beyond bounds';
    const hosts: Hosts = hostsFile(text);
    for (const [name, addresses] of hosts) if (addresses.length === 0) return `${name} has no address`;
    return undefined;
  },
};
