import { describe, expect, test } from 'vitest';
import { SimChance } from '../../src/world/sim/index.ts';
import { LAX, MailIn, type Values } from '../dialogues/mail-in.ts';
import { END, fakes, places, SMUGGLED } from './corpus.ts';

const LONE = /\r(?!\n)|(?<!\r)\n/;
const mended = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n');

/** What is to be kept of a text, or 550, said without any of the code that is tried. */
function expected(text: string, inHeader: string, inBody: string): string {
  const whole = `${text}\r\n`.replace(/(^|\r\n)\./g, '$1');
  const blank = /(?:^|\n)\r?\n/.exec(whole);
  const behind = blank === null ? whole.length : blank.index + blank[0].length;
  const [header, body] = [whole.slice(0, behind), whole.slice(behind)];
  if (LONE.test(header) && inHeader === 'pedantic') return '550';
  if (LONE.test(body) && inBody === 'pedantic') return '550';
  const kept = `${inHeader === 'fix' ? mended(header) : header}${inBody === 'fix' ? mended(body) : body}`;
  // What begins without a field is content, and a blank line keeps it from being read as part of our fields.
  return /^(?:\r?\n|[!-9;-~\x80-\xff]+[ \t]*:)/.test(kept) ? kept : `\r\n${kept}`;
}

type Cut = (text: string, chance: SimChance) => readonly string[];

const cuts: Readonly<Record<string, Cut>> = {
  whole: (text) => [text],
  'byte by byte': (text) => [...text],
  'cut at random': (text, chance) => {
    const parts: string[] = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + chance.below(chance.below(3) === 0 ? 60 : 4);
      parts.push(text.slice(at, at + size));
      at += size;
    }
    return parts;
  },
};

const chance = new SimChance(5321);
const COMMANDS = ['MAIL FROM:<a@example.com>\r\n', 'RCPT TO:<b@example.org>\r\n', 'DATA\r\n'];

/** One message to the end of data, and what it was answered. */
function send(house: MailIn, text: string, pipelined: boolean, cut: Cut): string {
  const peer = house.greeted();
  for (const command of pipelined ? [COMMANDS.join('')] : COMMANDS) peer.sends(command);
  // A command behind the real end shows that the session is where it should be.
  const said = cut(`${text}${END}NOOP\r\n`, chance).map((part) => peer.sends(part));
  peer.hangsUp();
  return said.join('');
}

describe.for(['pedantic', 'fix'])('lone line ends in headers: %s', (inHeader) => {
  describe.for(['ignore', 'pedantic', 'fix'])('in the body: %s', (inBody) => {
    const options: Values = {
      ...LAX,
      rfc2822_trace_headers: 'false',
      rfc2822_lone_lf_in_headers: inHeader,
      rfc2822_lone_lf_in_body: inBody,
    };
    test.for(Object.keys(places))('%s: each fake end is content, whatever the cut', (place) => {
      for (const [index, fake] of fakes.entries()) {
        const text = places[place]?.(fake) ?? '';
        if (`\r\n${text}${END}`.indexOf(END) !== text.length + 2) continue;
        const wanted = expected(text, inHeader, inBody);
        // All cuts would take a minute; over the options and places every fake meets every one.
        const [name, cut] = Object.entries(cuts)[(index + place.length) % 3] ?? ['whole', cuts.whole as Cut];
        const house = new MailIn(options);
        const said = send(house, text, index % 2 === 0, cut);
        const about = `${JSON.stringify(fake)} ${name}`;
        if (wanted === '550') {
          expect(said, about).toMatch(/^550 5\.6\.0 [^\r]*\r\n250 2\.0\.0 OK\r\n$/);
          expect(house.spool.kept, about).toEqual([]);
        } else {
          expect(said, about).toMatch(/^250 2\.0\.0 OK [0-9A-F/-]{20}\r\n250 2\.0\.0 OK\r\n$/);
          expect(
            house.spool.kept.map(({ body }) => body),
            about,
          ).toEqual([wanted]);
        }
      }
    });
  });
});

test('the corpus holds the known ends, and no true one', () => {
  for (const known of [
    '\n.\n',
    '\n.\r\n',
    '\r\n.\n',
    '\r.\r',
    '\r\n.\r',
    '\r.\r\n',
    '\n.\r',
    '\r\n\0.\r\n',
    '\r\n.\0\r\n',
  ])
    expect(fakes).toContain(known);
  expect(fakes.length).toBeGreaterThan(1500);
});

test.for(Object.keys(cuts))('a body before the 354 ends the session, and nothing of it is taken (%s)', (name) => {
  const cut = cuts[name] as Cut;
  for (const fake of fakes.slice(0, 300)) {
    const house = new MailIn(LAX);
    const peer = house.greeted();
    // A policy that takes its time makes every cut a body before the 354.
    house.policy.hook('validate_rcptto', 'slow', () => new Promise(() => undefined));
    const said = cut(`${COMMANDS.join('')}${fake}${SMUGGLED}${END}`, chance).map((part) => peer.sends(part));
    expect(said.join('')).toBe('250 2.1.0 MAIL FROM accepted\r\n');
    expect(house.spool.kept).toEqual([]);
  }
  const house = new MailIn(LAX);
  const peer = house.greeted();
  expect(peer.sends(`${COMMANDS.join('')}${SMUGGLED}${END}`)).toMatch(/421 4\.5\.0 protocol deviation[^\r]*\r\n$/);
  expect(peer.ended).toBe(true);
  expect(house.spool.drafts.length - house.spool.discarded).toBe(0);
});

test.for([
  ['a LF', 'DATA\n'],
  ['a CR', 'DATA\r'],
  ['CR CR LF', 'DATA\r\r\n'],
  ['CR NUL LF', 'DATA\r\0\n'],
] as const)('in a pipelined group DATA with %s begins no body', ([, data]) => {
  const house = new MailIn(LAX);
  const peer = house.greeted();
  const said = peer.sends(`${COMMANDS[0]}${COMMANDS[1]}${data}${SMUGGLED}${END}`);
  expect(house.spool.kept.map(({ body }) => body).filter((body) => body.includes('MAIL FROM'))).toEqual([]);
  expect(said).not.toContain('250 2.0.0 OK ');
});

test('BDAT is not offered: it is refused, and makes no message', () => {
  const house = new MailIn(LAX);
  const peer = house.greeted();
  const said = peer.sends(`${COMMANDS[0]}${COMMANDS[1]}BDAT 4 LAST\r\n`);
  expect(said.endsWith('502 5.5.1 command not implemented\r\n')).toBe(true);
  expect(house.spool.drafts).toEqual([]);
});
