import { gzipSync } from 'node:zlib';
import type { MailEvent } from '../../../src/events/index.ts';
import { CODES } from '../../../src/http/index.ts';
import { buildServer, type Server } from '../../../src/main/index.ts';
import { type SimWorld, simProcess, simWorld } from '../../../src/world/sim/index.ts';
import type { Dice } from '../../sim/dice.ts';
import { askIn, type HttpAnswer } from '../../support/http-room.ts';
import { serverConfiguration } from '../../support/server-configuration.ts';
import { diceOf, type FuzzTarget } from '../target.ts';

const FILE = '/etc/impetus.conf';
const CONFIGURATION = `
Spoolbase = "/spool"
Routes = ( "smtp://192.0.2.9" )
Retry_Interval = 3600
HTTP_Listener { Always_Allow = true Listen "127.0.0.1:2081" { } }
Binding_Group "pool" { Binding "b1" { } }
`;
/** Mail that was taken piles up: then another server takes its place. */
const INPUTS_PER_SERVER = 100;
const TRANSMISSIONS = 'POST /api/v1/transmissions';

/** Everything that takes a body. The first byte of an input chooses. */
const REQUESTS: readonly string[] = [
  TRANSMISSIONS,
  `${TRANSMISSIONS}?num_rcpt_errors=2`,
  'POST /api/v1/templates',
  'PUT /api/v1/templates/t1',
  'PUT /api/v1/templates/t1?update_published=true',
  'POST /api/v1/templates/t1/preview',
  'POST /api/v1/utils/content-previewer',
  'PUT /api/v1/suppression-list',
  'PUT /api/v1/suppression-list/a@x.test',
  'DELETE /api/v1/suppression-list/a@x.test',
  'DELETE /stats/summary',
];

/** A whole server in a simulated world, for a while. */
class Door {
  readonly world: SimWorld = simWorld(1);
  readonly happened: MailEvent[] = [];
  server!: Server;
  inputs = 0;

  static async open(): Promise<Door> {
    const door = new Door();
    const { world } = door;
    world.disk.put(FILE, CONFIGURATION);
    const begin = async (): Promise<Server> =>
      buildServer({
        world,
        process: simProcess(),
        configuration: await serverConfiguration(world, FILE),
        observe: (events) =>
          events.subscribe(['reception', 'generation', 'diagnostic'], (event) => void door.happened.push(event)),
      });
    door.server = await world.clock.until(begin());
    await world.clock.advance(100);
    await door.ask(
      'POST /api/v1/templates',
      '{"id":"t1","published":true,"content":{"from":"a@s.test","subject":"s","text":"t"}}',
    );
    return door;
  }

  ask(head: string, body: string | Uint8Array = ''): Promise<HttpAnswer> {
    return askIn(this.world, head, body);
  }

  async transmissions(): Promise<number> {
    const { text } = await this.ask('GET /api/v1/transmissions');
    return (JSON.parse(text) as { results: unknown[] }).results.length;
  }
}

let open: Promise<Door> | undefined;

async function present(): Promise<Door> {
  open ??= Door.open();
  const door = await open;
  if (door.inputs++ < INPUTS_PER_SERVER) return door;
  open = undefined;
  await door.world.clock.until(door.server.close(0));
  return present();
}

/** What is wrong with an answer as such. */
function shapeOf({ status, headers, text }: HttpAnswer): string | undefined {
  if (status === 204) return text === '' ? undefined : '204 with a body';
  if (headers['content-type'] !== 'application/json; charset=utf-8') return `type ${headers['content-type']}`;
  const body = JSON.parse(text) as { results?: unknown; errors?: unknown };
  if (status >= 200 && status < 300) return undefined;
  if (status < 400 || (status >= 500 && status !== 503)) return `${status}: ${text.slice(0, 200)}`;
  if (!Array.isArray(body.errors) || body.errors.length === 0) return `${status} without errors`;
  for (const error of body.errors as readonly Record<string, unknown>[]) {
    if (typeof error.message !== 'string' || typeof error.description !== 'string') return 'an error without words';
    if (!Object.hasOwn(CODES, String(error.code))) return `an error with the code ${error.code}`;
  }
  return undefined;
}

/** What of an order was done must be what was said of it. */
function orderOf({ status, text }: HttpAnswer, events: readonly MailEvent[], made: number): string | undefined {
  const kept = events.filter(({ kind }) => kind === 'reception').length;
  const failed = events.filter(({ kind }) => kind === 'generation').length;
  // An order of one recipient whose message could not be made is known as one that has failed.
  const failedAlone = /"code":"190[12]"/.test(text);
  if (status >= 400)
    return kept > 0 || (made > 0 && !failedAlone) ? `${status}, and ${kept} messages, ${made} orders` : undefined;
  const { results } = JSON.parse(text) as { results: { total_accepted_recipients: number } };
  const accepted = results.total_accepted_recipients;
  if (kept + failed === accepted) return undefined;
  // Time has not come, or the list shows it as waiting.
  return kept + failed === 0 && made === 1 ? undefined : `${accepted} accepted, ${kept} kept and ${failed} failed`;
}

async function tried(input: Buffer): Promise<string | undefined> {
  const door = await present();
  const { world, happened } = door;
  const request = REQUESTS[(input[0] ?? 0) % REQUESTS.length] ?? TRANSMISSIONS;
  const how = input[1] ?? 0;
  const zipped = (how & 1) === 1;
  // Changed bytes are hardly ever JSON; as dice they make other bodies that are.
  const body = (how & 2) === 0 ? input.subarray(2) : Buffer.from(JSON.stringify(bodyFor(request, diceOf(input))));
  const before = await door.transmissions();
  happened.length = 0;
  const answer = await door.ask(
    zipped ? `${request}\nContent-Encoding: gzip` : request,
    zipped ? gzipSync(body) : body,
  );
  await world.clock.advance(5000);
  const complaint = happened.find((event) => event.kind === 'diagnostic' && /CRITICAL|ERROR/.test(event.level));
  if (complaint?.kind === 'diagnostic') return `a complaint: ${complaint.text.slice(0, 300)}`;
  const { difference } = door.server.ledger;
  if (difference !== 0) return `the ledger is out by ${difference}`;
  const shape = shapeOf(answer);
  if (shape !== undefined || !request.startsWith(TRANSMISSIONS)) return shape;
  return orderOf(answer, happened, (await door.transmissions()) - before);
}

const ADDRESSES = [
  'a@x.test',
  ' b@y.test ',
  '"B, Q" <b@x.test>',
  'no address',
  'ü@x.test',
  'x'.repeat(300),
  '',
  'a@x.test\r\nX: y',
];
const TEXTS = [
  'Hello {{name}}',
  '{{#if a}}b{{/if}}',
  '{{',
  '{{each x}}',
  'plain',
  '\r\n',
  '\ud83d\ude00',
  '{{{html}}}',
  '\u0000',
  '{{ render_dynamic_content(dynamic_html.x) }}',
];

function something(dice: Dice, depth = 0): unknown {
  switch (
    dice.weighted({ text: 4, number: 2, flag: 1, nothing: 1, list: depth < 4 ? 2 : 0, fields: depth < 4 ? 3 : 0 })
  ) {
    case 'text':
      return dice.of([...ADDRESSES, ...TEXTS]);
    case 'number':
      return dice.of([0, -1, 1.5, 1e300, 2 ** 53, 1e21]);
    case 'flag':
      return dice.happens(0.5);
    case 'nothing':
      return null;
    case 'list':
      return Array.from({ length: dice.between(0, 3) }, () => something(dice, depth + 1));
    case 'fields':
      return Object.fromEntries(
        Array.from({ length: dice.between(0, 3) }, () => [
          dice.of(['name', 'a', 'html', '__proto__', '', 'x.y']),
          something(dice, depth + 1),
        ]),
      );
  }
}

/** Mostly as it should be; now and then something else. */
const or = (dice: Dice, value: unknown): unknown => (dice.happens(0.02) ? something(dice) : value);
const address = (dice: Dice): string => (dice.happens(0.9) ? `r${dice.between(0, 9)}@x.test` : dice.of(ADDRESSES));
const words = (dice: Dice): string => (dice.happens(0.9) ? dice.of(['Hello {{name}}', 'plain']) : dice.of(TEXTS));
const maybe = (dice: Dice, name: string, value: unknown): Record<string, unknown> =>
  dice.happens(0.4) ? { [name]: or(dice, value) } : {};

function recipient(dice: Dice): unknown {
  const email = address(dice);
  return or(dice, {
    address: dice.happens(0.5)
      ? email
      : or(dice, { email, ...maybe(dice, 'name', words(dice)), ...maybe(dice, 'header_to', address(dice)) }),
    ...maybe(dice, 'substitution_data', { name: words(dice), a: true }),
    ...maybe(dice, 'metadata', { k: 'v' }),
    ...maybe(dice, 'tags', ['one']),
    ...maybe(dice, 'return_path', address(dice)),
  });
}

function content(dice: Dice): unknown {
  const text = (): string => words(dice);
  switch (dice.weighted({ inline: 6, whole: 2, stored: 2 })) {
    case 'inline':
      return or(dice, {
        from: or(dice, dice.of(['n@s.test', { email: 'n@s.test', name: text() }])),
        subject: or(dice, text()),
        ...maybe(dice, 'text', text()),
        ...maybe(dice, 'html', `<p>${text()}</p>`),
        ...maybe(dice, 'reply_to', address(dice)),
        ...maybe(dice, 'headers', { [dice.of(['X-A', 'Subject', 'a b', 'CC'])]: text() }),
        ...maybe(dice, 'attachments', [{ name: 'a.txt', type: 'text/plain', data: dice.of(['aGk=', '%%%', '']) }]),
      });
    case 'whole':
      return {
        email_rfc822: or(
          dice,
          `From: n@s.test\r\nSubject: ${text()}\r\n${dice.happens(0.5) ? 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n' : '\r\n'}${text()}`,
        ),
      };
    case 'stored':
      return {
        template_id: or(dice, dice.of(['t1', 'none'])),
        ...maybe(dice, 'headers', { 'X-A': text() }),
        ...maybe(dice, 'use_draft_template', true),
      };
  }
}

function order(dice: Dice): unknown {
  return {
    recipients: or(
      dice,
      Array.from({ length: dice.scale(1, 8) }, () => recipient(dice)),
    ),
    content: content(dice),
    ...maybe(dice, 'return_path', address(dice)),
    ...maybe(dice, 'campaign_id', words(dice)),
    ...maybe(dice, 'metadata', { a: something(dice) }),
    ...maybe(dice, 'substitution_data', { name: something(dice) }),
    ...maybe(dice, 'options', {
      ...maybe(dice, 'start_time', dice.of(['2026-03-03T11:00:00+00:00', '2020-01-01T00:00:00Z', 'soon'])),
      ...maybe(dice, 'ip_pool', dice.of(['pool', 'POOL', 'none'])),
      ...maybe(dice, 'sandbox', true),
      ...maybe(dice, 'transactional', true),
      ...maybe(dice, 'perform_substitutions', false),
    }),
  };
}

function bodyFor(request: string, dice: Dice): unknown {
  if (request.startsWith(TRANSMISSIONS)) return order(dice);
  if (request.includes('/preview')) return { substitution_data: something(dice) };
  if (request.includes('previewer'))
    return { content: content(dice), ...maybe(dice, 'substitution_data', something(dice)) };
  if (request.includes('/templates'))
    return {
      ...maybe(dice, 'id', 't2'),
      ...maybe(dice, 'name', 'T'),
      content: content(dice),
      ...maybe(dice, 'published', true),
      ...maybe(dice, 'options', { open_tracking: true }),
    };
  const entry = {
    ...maybe(dice, 'recipient', address(dice)),
    ...maybe(dice, 'type', dice.of(['transactional', 'non_transactional'])),
    ...maybe(dice, 'description', words(dice)),
  };
  return request.endsWith('suppression-list') ? { recipients: or(dice, [entry, or(dice, entry)]) } : entry;
}

export const httpBodies: FuzzTarget = {
  name: 'http-bodies',
  about:
    'bodies of any kind to the whole HTTP door: a sound envelope, no failure of ours, and no order that is taken in part',
  words: [
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '\\u0000',
    '\\ud800',
    'null',
    '1e999',
    '-0',
    '{{',
    '}}',
    '"recipients":',
    '"content":',
    '"__proto__":{}',
    '\ufeff',
  ],
  generate(dice) {
    const at = dice.happens(0.6) ? 0 : dice.between(0, REQUESTS.length - 1);
    const zipped = dice.happens(0.1) ? 1 : 0;
    if (dice.happens(0.7)) return Buffer.of(at, 2 | zipped, ...Array.from({ length: 4 }, () => dice.between(0, 255)));
    return Buffer.concat([Buffer.of(at, zipped), Buffer.from(JSON.stringify(bodyFor(REQUESTS[at] ?? '', dice)))]);
  },
  check: tried,
};
