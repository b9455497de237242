import { describe, expect, test } from 'vitest';
import { joined } from '../../src/base/index.ts';
import { OutgoingBody } from '../../src/smtp/index.ts';
import { SimChance } from '../../src/world/sim/index.ts';
import { LAX, MailIn } from '../dialogues/mail-in.ts';
import { MailRoom } from '../support/mail-room.ts';
import { END, fakes, places } from './corpus.ts';
import { receivers } from './receivers.ts';

const chance = new SimChance(51764);
const mended = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n');

/** The stored bytes as a spool gives them: slices of views, cut anywhere. */
function* slices(body: string): Iterable<Uint8Array[]> {
  const bytes = Buffer.from(body, 'latin1');
  for (let at = 0; at < bytes.length; ) {
    const views: Uint8Array[] = [];
    for (let count = 1 + chance.below(3); count > 0; count--) {
      const size = chance.below(30);
      views.push(bytes.subarray(at, at + size));
      at += size;
    }
    yield views;
  }
}

function sent(body: string, dots: boolean, lone: boolean): string {
  const outgoing = new OutgoingBody(dots, lone);
  const parts: Uint8Array[] = [];
  for (const slice of slices(body)) parts.push(...outgoing.pass(slice));
  parts.push(...outgoing.end());
  return joined(parts).toString('latin1');
}

/** What reception stores of a text, with the traits that it notes. */
function stored(text: string, inHeader: string, inBody: string) {
  const house = new MailIn({
    ...LAX,
    rfc2822_trace_headers: 'false',
    rfc2822_lone_lf_in_headers: inHeader,
    rfc2822_lone_lf_in_body: inBody,
  });
  const peer = house.greeted();
  peer.sends('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
  peer.sends(`${text}${END}`);
  return house.spool.kept[0];
}

interface Outgoing {
  readonly about: string;
  readonly kept: string;
  readonly sent: string;
}

/** Every fake through reception, once for all receivers. */
const outgoing = new Map<string, readonly Outgoing[]>();

function outgoingOf(place: string): readonly Outgoing[] {
  const known = outgoing.get(place);
  if (known !== undefined) return known;
  const made = fakes.flatMap((fake, index): readonly Outgoing[] => {
    const text = places[place]?.(fake) ?? '';
    if (`\r\n${text}${END}`.indexOf(END) !== text.length + 2) return [];
    const [inHeader, inBody] = OPTIONS[index % OPTIONS.length] ?? OPTIONS[0];
    const kept = stored(text, inHeader, inBody);
    if (kept === undefined) return [];
    const about = `${JSON.stringify(fake)} ${inHeader} ${inBody}`;
    return [{ about, kept: kept.body, sent: sent(kept.body, kept.traits.dots, kept.traits.lone) }];
  });
  outgoing.set(place, made);
  return made;
}

const OPTIONS = [
  ['fix', 'ignore'],
  ['pedantic', 'ignore'],
  ['fix', 'fix'],
] as const;

describe.for(Object.keys(receivers))('a receiver like %s', (name) => {
  const receiver = receivers[name];
  if (receiver === undefined) throw new Error('no receiver');
  test.for(Object.keys(places))('sees one message and nothing behind it, with any fake end %s', (place) => {
    const all = outgoingOf(place);
    expect(all.length).toBeGreaterThan(500);
    for (const each of all) {
      const reading = receiver(`${each.sent}QUIT\r\n`);
      if (reading.commands === 'QUIT\r\n' && reading.message === mended(each.kept)) continue;
      expect(reading, each.about).toEqual({ message: mended(each.kept), commands: 'QUIT\r\n' });
    }
  });

  test('sees one message of bodies that another server has stored', () => {
    for (const fake of fakes) {
      for (const body of [`${fake}x`, `a${fake}`, `a\r\n${fake}b\r\n`, fake, `${fake}${fake}`]) {
        const reading = receiver(`${sent(body, true, true)}QUIT\r\n`);
        const whole = mended(body);
        const message = whole === '' || whole.endsWith('\n') ? whole : `${whole}\r\n`;
        if (reading.commands === 'QUIT\r\n' && reading.message === message) continue;
        expect(reading, JSON.stringify(body)).toEqual({ message, commands: 'QUIT\r\n' });
      }
    }
  });

  test('sees all of an eight-bit body, bytes as they are', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    const body = `Subject: ${all}\r\n\r\n${all}${all}\r\n`;
    const reading = receiver(`${sent(body, true, true)}QUIT\r\n`);
    expect(reading.message).toBe(mended(body));
    expect(reading.commands).toBe('QUIT\r\n');
  });
});

test('the models do what they are models of: unstuffed lone line ends are a second message to the lax ones', () => {
  const seen = (fake: string): readonly string[] =>
    Object.entries(receivers)
      .filter(([, receiver]) => receiver(`a${fake}MAIL FROM:<evil@example.com>${END}`).commands.startsWith('MAIL'))
      .map(([name]) => name);
  expect(seen('\r\n.\r\n')).toEqual(Object.keys(receivers));
  expect(seen('\n.\n')).toEqual(['Postfix', 'Sendmail', 'Exim', 'one that mends line ends']);
  expect(seen('\n.\r\n')).toEqual(['Postfix', 'Sendmail', 'Exim', 'one that mends line ends']);
  expect(seen('\r.\r\n')).toEqual(['Exim', 'one that mends line ends']);
  expect(seen('\r.\r')).toEqual(['one that mends line ends']);
  expect(seen('\r\n.\r\r\n')).toEqual(['Sendmail']);
});

test('through delivery as a whole: the peer gets one message, and the next one behind it', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.5');
  const bodies = fakes.filter((_, index) => index % 40 === 0).map((fake) => `Subject: x\r\n\r\nfirst${fake}evil\r\n`);
  for (const body of bodies) room.receive('b@dst.test', body, { dots: true, lone: true });
  await room.later(120);
  const unstuffed = peer.taken.map(({ body }) => body.replace(/(^|\r\n)\./g, '$1'));
  expect(unstuffed.sort()).toEqual(bodies.map(mended).sort());
  expect(room.balance).toBe(0);
});
