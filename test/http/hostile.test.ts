import { expect, test } from 'vitest';
import { afterPowerCut } from '../../src/world/sim/index.ts';
import { askQuickly, errorOf, jsonOf } from '../support/http-room.ts';
import { House, type Results } from '../support/transmission-house.ts';

const EVIL = 'x\r\nBcc: all@evil.test\r\n\r\nbody';
const content = {
  from: { name: 'Shop', email: 'news@shop.test' },
  subject: 'Hi',
  reply_to: 'r@shop.test',
  headers: { 'X-A': 'b' },
  text: 'Hello.\n',
  html: '<b>Hello</b>',
};
const image = { name: 'a.png', type: 'image/png', data: 'AAAA' };
const one = { address: { email: 'a@x.test', name: 'Ann' } };

/** A request with something in one of its fields. */
const places: Readonly<Record<string, (text: string) => object>> = {
  'from.name': (text) => ({ content: { ...content, from: { name: text, email: 'news@shop.test' } } }),
  'from.email': (text) => ({ content: { ...content, from: { name: 'Shop', email: text } } }),
  'from as one text': (text) => ({ content: { ...content, from: `${text} <news@shop.test>` } }),
  subject: (text) => ({ content: { ...content, subject: text } }),
  reply_to: (text) => ({ content: { ...content, reply_to: text } }),
  'a name of headers': (text) => ({ content: { ...content, headers: { [text]: 'b' } } }),
  'a value of headers': (text) => ({ content: { ...content, headers: { CC: text } } }),
  'override.from': (text) => ({ override: { from: { name: text, email: 'o@shop.test' } } }),
  'override.reply_to': (text) => ({ override: { reply_to: text } }),
  'override.list_id': (text) => ({ override: { list_id: text } }),
  return_path: (text) => ({ return_path: text }),
  campaign_id: (text) => ({ campaign_id: text }),
  'the name of an attachment': (text) => ({ content: { ...content, attachments: [{ ...image, name: text }] } }),
  'the type of an attachment': (text) => ({ content: { ...content, attachments: [{ ...image, type: text }] } }),
  'the name of an image': (text) => ({ content: { ...content, inline_images: [{ ...image, name: text }] } }),
  'the type of an image': (text) => ({ content: { ...content, inline_images: [{ ...image, type: text }] } }),
  'address.email': (text) => ({ recipients: [{ address: { email: text } }] }),
  'address.name': (text) => ({ recipients: [{ address: { email: 'a@x.test', name: text } }] }),
  'address.header_to': (text) => ({ recipients: [{ address: { email: 'a@x.test', header_to: text } }] }),
  'a path of a recipient': (text) => ({ recipients: [{ ...one, return_path: text }] }),
  metadata: (text) => ({ metadata: { a: text } }),
  tags: (text) => ({ recipients: [{ ...one, tags: [text] }] }),
  'data that a subject shows': (text) => ({
    content: { ...content, subject: '{{a}}' },
    substitution_data: { a: text },
  }),
  'data that From shows': (text) => ({
    content: { ...content, from: { name: '{{{a}}}', email: 'news@shop.test' } },
    substitution_data: { a: text },
  }),
  'data that CC shows': (text) => ({
    content: { ...content, headers: { CC: '{{a}}' } },
    substitution_data: { a: text },
  }),
  'data that a header of a whole message shows': (text) => ({
    content: { email_rfc822: 'From: a@shop.test\nReply-To: {{a}}\nSubject: {{a}}\n\nx' },
    substitution_data: { a: text },
  }),
};

test.each(Object.keys(places))('line ends in %s add nothing to a header', async (place) => {
  const house = await House.open();
  const letters = ['\r\n', '\n', '\r', '\u010d\u010a', '\u0085', '\u2028', '\r\n '];
  for (const letter of letters) {
    const body = { recipients: [one], content, ...places[place]?.(EVIL.replaceAll('\r\n', letter)) };
    const answer = await house.ask('POST /api/v1/transmissions', body);
    expect([200, 400, 422]).toContain(answer.status);
  }
  await house.world.clock.advance(60_000);
  expect(house.of('diagnostic').filter((event) => 'level' in event && event.level !== 'NOTICE')).toEqual([]);
  for (const { text } of house.inbox.mails) {
    const header = text.slice(0, text.indexOf('\r\n\r\n'));
    expect(header).not.toMatch(/^Bcc:/im);
    expect(header).toMatch(/^Subject:/m);
    expect(text).not.toMatch(/^Bcc:/m);
  }
});

test('a hundred thousand recipients are all looked at, and one more than a million is refused at once', async () => {
  const house = await House.open();
  const zeros = (count: number): string => `{"content":{},"recipients":[${'0,'.repeat(count - 1)}0]}`;
  const whole = JSON.stringify({ recipients: [], content });
  const body = (count: number): string => whole.replace('[]', `[${'0,'.repeat(count - 1)}0]`);
  expect(errorOf(await askQuickly(house.world, 'POST /api/v1/transmissions', zeros(1_000_001)))).toMatchObject({
    status: 422,
    code: '1300',
  });
  const answer = await askQuickly(house.world, 'POST /api/v1/transmissions?num_rcpt_errors=3', body(100_000));
  expect(errorOf(answer)).toMatchObject({ status: 400, code: '5002' });
  expect(jsonOf<{ errors: unknown[] }>(answer).errors).toHaveLength(4);
});

test('loops without end are answered in the time of one slice, and other mail goes on', async () => {
  const house = await House.open();
  const list = Array.from({ length: 1000 }, (_, n) => n);
  const each = '{{each list}}'.repeat(5) + '{{end}}'.repeat(5);
  const began = performance.now();
  const answer = await house.ask('POST /api/v1/transmissions', {
    recipients: [one],
    content: { ...content, html: each, text: each },
    substitution_data: { list },
  });
  expect(errorOf(answer)).toMatchObject({ status: 400, code: '1901' });
  expect(performance.now() - began).toBeLessThan(3000);
  await house.send({ recipients: [one], content });
});

test('wherever the power goes while messages are made, each recipient has one message or one refusal', async () => {
  for (let after = 0; after < 24; after += 1) {
    const house = await House.open();
    const recipients = Array.from({ length: 30 }, (_, n) => ({
      address: `r${n}@x.test`,
      ...(n % 5 === 0 ? { substitution_data: { bad: 'x\r\ny' } } : {}),
    }));
    const body = JSON.stringify({ recipients, content: { ...content, subject: '{{bad or "Hi"}}' } });
    const { results } = jsonOf<Results>(await askQuickly(house.world, 'POST /api/v1/transmissions', body));
    await house.world.clock.advance(after / 2);
    house.world = afterPowerCut(house.world);
    await house.inbox.open(house.world);
    await house.begin();
    await house.world.clock.advance(120_000);
    const ids = new Map<string, Set<string>>();
    for (const { to, text } of house.inbox.mails) {
      const known = ids.get(to) ?? new Set();
      ids.set(to, known.add(/Message-ID: (.*)\r\n/.exec(text)?.[1] ?? ''));
    }
    expect([after, ids.size, [...ids.values()].every(({ size }) => size === 1)]).toEqual([after, 24, true]);
    const refused = new Set(house.of('generation').map((event) => ('recipient' in event ? event.recipient : '')));
    expect(refused.size).toBe(6);
    expect(house.server.ledger.difference).toBe(0);
    const state = await house.ask(`GET /api/v1/transmissions/${results.id}`);
    expect([200, 404]).toContain(state.status);
  }
});
