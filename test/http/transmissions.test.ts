import { describe, expect, test } from 'vitest';
import { afterPowerCut } from '../../src/world/sim/index.ts';
import { askIn, errorOf, jsonOf } from '../support/http-room.ts';
import { Client, endpoint } from '../support/listening.ts';
import { House } from '../support/transmission-house.ts';

const inline = {
  from: { name: 'Shop', email: 'news@shop.test' },
  subject: 'Hi {{name}}',
  text: 'Hello {{name or "friend"}}.\n',
};
const to = (...emails: string[]): { address: string }[] => emails.map((address) => ({ address }));

describe('one recipient', () => {
  test('is answered when the message is kept, and the message arrives', async () => {
    const house = await House.open();
    const { results } = await house.send({
      campaign_id: 'spring',
      metadata: { order: 7 },
      recipients: [
        { address: { email: ' Ann@X.test ', name: 'Ann, B.' }, substitution_data: { name: 'Änn' }, tags: ['a'] },
      ],
      content: { ...inline, headers: { 'X-Order': '{{order}}' }, html: '<p>{{name}}</p>' },
    });
    expect(results).toMatchObject({ total_accepted_recipients: 1, total_rejected_recipients: 0 });
    expect(BigInt(results.id)).toBeLessThan(2n ** 63n);
    expect(house.of('reception')).toMatchObject([
      { protocol: 'rest', recipient: 'Ann@X.test', sender: 'news@shop.test' },
    ]);
    await house.world.clock.advance(5000);
    const [mail] = house.inbox.mails;
    expect(mail).toMatchObject({ from: 'news@shop.test', to: 'Ann@X.test' });
    expect(mail?.text).toContain('From: "Shop" <news@shop.test>\r\nTo: "Ann, B." <Ann@X.test>\r\n');
    expect(mail?.text).toContain(`Subject: =?UTF-8?B?${Buffer.from('Hi Änn').toString('base64')}?=\r\n`);
    expect(mail?.text).toContain('X-Order: 7\r\n');
    expect(mail?.text).toContain('Hello =C3=84nn.\r\n');
    expect(mail?.text).toMatch(/^Received: .*\(envelope-from <news@shop\.test>\).*with HTTP/s);
    expect(mail?.text).toMatch(/Message-ID: <.+@.+>\r\n/);
  });

  test('cannot be rendered: 400/1901, an event, and nothing in the queue', async () => {
    const house = await House.open();
    const answer = await house.ask('POST /api/v1/transmissions', {
      recipients: [{ address: 'a@x.test', substitution_data: { name: 'x\r\nBcc: all@y.test' } }],
      content: inline,
    });
    expect(errorOf(answer)).toMatchObject({ status: 400, code: '1901' });
    expect(house.of('generation')).toMatchObject([{ outcome: 'failure', recipient: 'a@x.test' }]);
    expect(house.of('reception')).toEqual([]);
  });
});

test('the Received field of a whole message names its From as reverse-path, and return_path before it', async () => {
  const house = await House.open();
  const content = { email_rfc822: 'From: Shop <news@shop.test>\r\nSubject: x\r\n\r\nx\r\n' };
  await house.send({ recipients: to('a@x.test'), content });
  await house.send({ recipients: to('b@x.test'), content, return_path: 'back@shop.test' });
  await house.world.clock.advance(5000);
  const named = house.inbox.mails.map(({ from, text }) => [from, /envelope-from <(.*?)>/.exec(text)?.[1]]);
  expect(named.sort()).toEqual([
    ['back@shop.test', 'back@shop.test'],
    ['news@shop.test', 'news@shop.test'],
  ]);
});

describe('many recipients', () => {
  test('are kept before the answer, and each gets a message of its own', async () => {
    const house = await House.open();
    const names = Array.from({ length: 1200 }, (_, n) => `r${n}`);
    const { results } = await house.send({
      recipients: names.map((name) => ({ address: `${name}@x.test`, substitution_data: { name } })),
      content: inline,
      options: { ip_pool: 'POOL' },
    });
    expect(results.total_accepted_recipients).toBe(1200);
    await house.world.clock.advance(20_000);
    expect(house.of('reception')).toHaveLength(1200);
    expect(new Set(house.of('reception').map((event) => ('binding' in event ? event.binding : '')))).toEqual(
      new Set(['b1', 'b2']),
    );
    const state = jsonOf<{ results: { transmission: object } }>(
      await house.ask(`GET /api/v1/transmissions/${results.id}`),
    );
    expect(state.results.transmission).toMatchObject({
      state: 'Success',
      num_rcpts: 1200,
      num_generated: 1200,
      num_failed_gen: 0,
    });
    await house.world.clock.advance(60_000);
    expect(new Set(house.inbox.mails.map(({ to: each }) => each)).size).toBe(1200);
    expect(house.inbox.mails.every((mail) => mail.text.includes(`Hello ${mail.to.split('@')[0]}.`))).toBe(true);
    expect(house.server.ledger.difference).toBe(0);
    await house.world.clock.until(house.server.close(1000));
  });

  test.each([3, 40, 90, 200])('a power cut after %i ms neither loses one nor makes one twice', async (after) => {
    const house = await House.open();
    const count = 700;
    const { results } = await house.send({
      recipients: Array.from({ length: count }, (_, n) => ({ address: `r${n}@x.test` })),
      content: inline,
    });
    await house.world.clock.advance(after);
    house.world = afterPowerCut(house.world);
    house.events.length = 0;
    const before = house.inbox.mails.length;
    await house.inbox.open(house.world).catch(() => undefined);
    await house.begin();
    await house.world.clock.advance(120_000);
    expect(results.total_accepted_recipients).toBe(count);
    const got = house.inbox.mails.map((mail) => mail.to);
    expect(new Set(got).size).toBe(count);
    // What was under way when the power went is delivered again, as any mail is; nothing else.
    const ids = house.inbox.mails.map((mail) => /Message-ID: (.*)\r\n/.exec(mail.text)?.[1]);
    expect(new Set(ids).size).toBe(count);
    expect(got.length - count).toBeLessThanOrEqual(before);
  });

  test('those that are wrong do not cost the others their mail', async () => {
    const house = await House.open();
    const body = {
      recipients: [
        ...to('a@x.test', 'b@x.test', '"B', ''),
        { address: { email: 'c@x.test', name: 'a\r\nX: y' } },
        { substitution_data: {} },
        5,
        { address: 'd@x.test', substitution_data: { x: 'y'.repeat(102_400) } },
      ],
      content: inline,
    };
    const { results, errors } = await house.send(body, '?num_rcpt_errors=2');
    expect(results).toMatchObject({ total_accepted_recipients: 2, total_rejected_recipients: 6 });
    expect(results.rcpt_to_errors?.map(({ code }) => code)).toEqual(['1300', '1300']);
    expect(errors).toEqual([{ code: '2000', message: 'transmission created, but with validation errors' }]);
    expect((await house.send(body)).results).not.toHaveProperty('rcpt_to_errors');
  });
});

describe('requests that are refused', () => {
  const one = to('a@x.test');
  test.each<[string, unknown, string]>([
    ['no recipients', { recipients: [], content: inline }, '400/5002'],
    ['no valid recipient', { recipients: to('x', '@'), content: inline }, '400/5002'],
    ['a list', { recipients: { list_id: 'x' }, content: inline }, '422/1603'],
    ['no content', { recipients: one }, '422/1400'],
    ['empty content', { recipients: one, content: {} }, '422/1400'],
    ['two contents', { recipients: one, content: { ...inline, email_rfc822: 'A: b\n\n' } }, '422/1301'],
    ['no template', { recipients: one, content: { template_id: 'none' } }, '422/1603'],
    ['no subject', { recipients: one, content: { from: 'a@b.test', text: 'x' } }, '422/1400'],
    ['no body', { recipients: one, content: { from: 'a@b.test', subject: 'x' } }, '422/1400'],
    ['a number for a text', { recipients: one, content: { ...inline, text: 5 } }, '422/1300'],
    ['a broken template', { recipients: one, content: { ...inline, text: '{{if' } }, '422/3000'],
    ['a header of ours', { recipients: one, content: { ...inline, headers: { to: 'x' } } }, '422/3002'],
    ['a header with a line end', { recipients: one, content: { ...inline, headers: { X: 'a\r\nb: c' } } }, '422/3002'],
    [
      'a name of a header with a line end',
      { recipients: one, content: { ...inline, headers: { 'X\r\nY': 'a' } } },
      '422/3002',
    ],
    ['a subject with a line end', { recipients: one, content: { ...inline, subject: 'a\nb' } }, '422/3002'],
    [
      'a sender with a line end',
      { recipients: one, content: { ...inline, from: { name: 'a\rb', email: 'a@b.test' } } },
      '422/3002',
    ],
    ['a Reply-To with a line end', { recipients: one, content: { ...inline, reply_to: 'a@b.test\nX: y' } }, '422/3002'],
    ['an override with a line end', { recipients: one, content: inline, override: { reply_to: 'a\nb' } }, '422/3002'],
    ['a reverse-path with a line end', { recipients: one, content: inline, return_path: 'a@b.test>\r\nX' }, '422/1300'],
    ['a campaign with a line end', { recipients: one, content: inline, campaign_id: 'a\nb' }, '422/1300'],
    ['a long campaign', { recipients: one, content: inline, campaign_id: 'x'.repeat(65) }, '422/1300'],
    ['much metadata', { recipients: one, content: inline, metadata: { x: 'y'.repeat(10_240) } }, '422/1300'],
    ['much data', { recipients: one, content: inline, substitution_data: { x: 'y'.repeat(102_400) } }, '422/2002'],
    [
      'a file with a line end',
      { recipients: one, content: { ...inline, attachments: [{ name: 'a\nb', data: '' }] } },
      '422/1300',
    ],
    [
      'a type with a line end',
      { recipients: one, content: { ...inline, attachments: [{ name: 'a', type: 'a/b\r\nX: y', data: '' }] } },
      '422/1300',
    ],
    [
      'a file that is not base64',
      { recipients: one, content: { ...inline, attachments: [{ name: 'a', data: 'AAA\nAAA=' }] } },
      '422/1300',
    ],
    [
      'broken MIME',
      { recipients: one, content: { email_rfc822: 'From: a@b.test\nContent-Type: multipart/mixed\n\nx' } },
      '422/3020',
    ],
    ['an unknown pool', { recipients: one, content: inline, options: { ip_pool: 'x' } }, '422/1603'],
    ['a time ahead', { recipients: one, content: inline, options: { start_time: '2999-01-01T00:00:00Z' } }, '422/1300'],
    [
      'a day that is none',
      { recipients: one, content: inline, options: { start_time: '2001-02-29T00:00:00Z' } },
      '422/1300',
    ],
    ['styles to be put inline', { recipients: one, content: inline, options: { inline_css: true } }, '422/1300'],
    ['a key of DKIM', { recipients: one, content: inline, options: { dkim_key: 'k' } }, '422/1300'],
    ['a sandbox where there is none', { recipients: one, content: inline, options: { sandbox: true } }, '422/1603'],
    ['an array', [], '422/1300'],
    ['no JSON', '{"recipients":', '422/1300'],
    ['deep nesting', `{"recipients":${'['.repeat(200)}${']'.repeat(200)},"content":{}}`, '422/1300'],
  ])('%s', async (_, body, wanted) => {
    const house = await House.open();
    expect(await house.refused(body)).toBe(wanted);
    expect(house.of('reception')).toEqual([]);
  });

  test('what is not UTF-8', async () => {
    const house = await House.open();
    const answer = await askIn(house.world, 'POST /api/v1/transmissions', Buffer.from('{"content":"\xff"}', 'latin1'));
    expect(errorOf(answer)).toMatchObject({ status: 400, code: '1305' });
  });
});

test('a whole message is filled in, and gets what it lacks', async () => {
  const house = await House.open();
  await house.send({
    recipients: [{ address: { email: 'a@x.test', header_to: 'other@y.test' }, substitution_data: { n: 'Ann' } }],
    content: { email_rfc822: 'From: S <s@shop.test>\nTo: list@y.test\nSubject: {{n}}\n\n.{{n}}\n' },
  });
  await house.world.clock.advance(5000);
  const text = house.inbox.mails[0]?.text ?? '';
  expect(text).toMatch(/^Received: /);
  expect(text).toContain('To: list@y.test\r\nSubject: Ann\r\n');
  expect(text).toContain('\r\n\r\n.Ann\r\n');
  expect(text).toMatch(/\r\nDate: .*\r\nMessage-ID: /);
});

describe('suppressions', () => {
  const person = '/api/v1/suppression-list/Ann+x@X.test';

  test('are put, found, searched and removed; compliance, paths and types are minded', async () => {
    const house = await House.open();
    expect((await house.ask(`PUT ${person}`, { type: 'transactional', description: 'asked' })).status).toBe(200);
    const many = {
      recipients: [
        { recipient: 'b@y.test', non_transactional: true },
        { email: 'c@y.test', type: 'non_transactional', list_id: 'L' },
      ],
    };
    expect((await house.ask('PUT /api/v1/suppression-list', many)).status).toBe(200);
    expect(jsonOf(await house.ask(`GET ${person}`))).toMatchObject({
      results: [
        {
          recipient: 'ann+x@x.test',
          type: 'transactional',
          transactional: true,
          source: 'Manually Added',
          description: 'asked',
        },
      ],
    });
    const page = jsonOf<{ results: unknown[]; links: { href: string }[]; total_count: number }>(
      await house.ask('GET /api/v1/suppression-list?cursor=initial&per_page=2'),
    );
    expect([page.results.length, page.total_count, page.links[0]?.href]).toEqual([
      2,
      3,
      '/api/v1/suppression-list?per_page=2&cursor=p2',
    ]);
    const limited = jsonOf<{ results: unknown[] }>(await house.ask('GET /api/v1/suppression-list?limit=2'));
    expect(limited.results).toHaveLength(2);
    expect(jsonOf(await house.ask('GET /api/v1/suppression-list?domain=y.test&types=non_transactional'))).toMatchObject(
      { total_count: 2 },
    );
    expect(jsonOf(await house.ask('GET /api/v1/suppression-list/summary'))).toMatchObject({
      results: { manually_added: 3, total: 3 },
    });
    expect((await house.ask(`DELETE ${person}`)).status).toBe(204);
    expect((await house.ask(`GET ${person}`)).status).toBe(404);
    const bad = await house.ask('PUT /api/v1/suppression-list', {
      recipients: [
        { recipient: 'z@y.test', type: 'transactional' },
        { recipient: 'no', type: 'transactional' },
      ],
    });
    expect(errorOf(bad)).toMatchObject({ status: 400, description: expect.stringContaining('no') as string });
    expect((await house.ask('GET /api/v1/suppression-list/z@y.test')).status).toBe(404);
  });

  test('are searched by times of any zone, by UTC without one, and a time or type that is none is told', async () => {
    const house = await House.open();
    expect((await house.ask(`PUT ${person}`, { type: 'transactional' })).status).toBe(200);
    const now = house.world.clock.date();
    /** The moment in so many minutes, as they write it so many hours east of Greenwich. */
    const at = (minutes: number, east: number): string =>
      new Date(now + minutes * 60_000 + east * 3_600_000).toISOString().slice(0, 19);
    const count = async (query: string): Promise<unknown> =>
      jsonOf<{ total_count: number }>(await house.ask(`GET /api/v1/suppression-list?${query}`)).total_count;
    expect([
      await count(`from=${at(-1, 5)}%2B05:00`),
      await count(`from=${at(-1, 5)}+05:00`),
      await count(`from=${at(1, -5)}-05:00`),
      await count(`to=${at(1, -5)}-0500&from=${at(-1, 0)}`),
      await count(`to=${at(-1, 5)}%2B05:00`),
      await count(`from=${at(-1440, 0).slice(0, 10)}`),
    ]).toEqual([1, 1, 0, 1, 0, 1]);
    for (const query of ['from=yesterday', 'to=2026', 'types=non-transactional', 'cursor=x'])
      expect(errorOf(await house.ask(`GET /api/v1/suppression-list?${query}`))).toMatchObject({
        status: 400,
        code: '1200',
        description: expect.stringContaining(query.split('=')[0] ?? '') as string,
      });
  });

  test('keep mail back: 1902 for one, an event for one of many, and nobody else is touched', async () => {
    const house = await House.open();
    await house.ask(`PUT ${person}`, { type: 'non_transactional' });
    const body = { recipients: to('ANN+X@x.test'), content: inline };
    expect(await house.refused(body)).toBe('400/1902');
    expect((await house.send({ ...body, options: { transactional: true } })).results.total_accepted_recipients).toBe(1);
    expect((await house.send({ ...body, options: { skip_suppression: true } })).results.total_accepted_recipients).toBe(
      1,
    );
    house.events.length = 0;
    await house.send({ ...body, recipients: to('ann+x@x.test', 'b@x.test') });
    await house.world.clock.advance(1000);
    expect(house.of('generation')).toMatchObject([
      { outcome: 'rejection', recipient: 'ann+x@x.test', reason: expect.stringContaining('suppressed') as string },
    ]);
    expect(house.of('reception')).toMatchObject([{ recipient: 'b@x.test' }]);
  });
});

describe('templates', () => {
  const content = { ...inline, headers: { 'X-A': '{{a}}' } };
  const base = '/api/v1/templates';

  test('a draft is made, shown, published and edited; a transmission takes the version that it asks for', async () => {
    const house = await House.open();
    expect(jsonOf(await house.ask(`POST ${base}`, { id: 'My-1', name: 'Mine', content }))).toEqual({
      results: { id: 'My-1' },
    });
    expect(errorOf(await house.ask(`POST ${base}`, { id: 'My-1', content }))).toMatchObject({
      status: 400,
      code: '3030',
    });
    const from = {
      recipients: to('a@x.test'),
      content: { template_id: 'My-1', headers: { 'X-B': 'b', CC: '"A, B" <b@x.test>' } },
    };
    expect(await house.refused(from)).toBe('422/2005');
    expect(jsonOf(await house.ask(`PUT ${base}/My-1`, { published: true }))).toEqual({});
    await house.ask(`PUT ${base}/My-1`, { content: { ...content, subject: 'Draft' } });
    expect(jsonOf(await house.ask(`GET ${base}/My-1?draft=false`))).toMatchObject({
      results: { id: 'My-1', name: 'Mine', published: true, has_draft: true, has_published: true, content },
    });
    expect(jsonOf(await house.ask(`GET ${base}/My-1`))).toMatchObject({ results: { content: { subject: 'Draft' } } });
    await house.send({ ...from, substitution_data: { name: 'Ann', a: '1' } });
    await house.send({ ...from, content: { ...from.content, use_draft_template: true } });
    await house.world.clock.advance(5000);
    expect(house.inbox.mails.map(({ text }) => /Subject: (.*)\r\n/.exec(text)?.[1]).sort()).toEqual([
      'Draft',
      'Hi Ann',
    ]);
    expect(house.inbox.mails[0]?.text).toContain('X-B: b\r\nCC: "A, B" <b@x.test>\r\n');
    expect(jsonOf<{ results: unknown[] }>(await house.ask(`GET ${base}`)).results).toHaveLength(1);
    expect((await house.ask(`DELETE ${base}/My-1`)).status).toBe(200);
    expect(errorOf(await house.ask(`GET ${base}/My-1`))).toMatchObject({ status: 404, code: '1600' });
  });

  test('a preview fills in, and says part and line of what is wrong', async () => {
    const house = await House.open();
    await house.ask(`POST ${base}`, { id: 't', content });
    expect(
      jsonOf(await house.ask(`POST ${base}/t/preview?draft=true`, { substitution_data: { name: 'Ann', a: 1 } })),
    ).toEqual({
      results: {
        from: { name: 'Shop', email: 'news@shop.test' },
        subject: 'Hi Ann',
        text: 'Hello Ann.\n',
        headers: { 'X-A': '1' },
      },
    });
    const bad = await house.ask(`POST ${base}`, { id: 'u', content: { ...inline, html: '<p>\n{{if x}}' } });
    expect(bad.status).toBe(422);
    expect(jsonOf(bad)).toMatchObject({ errors: [{ code: '3000', part: 'html', line: 2 }] });
    const inlined = await house.ask('POST /api/v1/utils/content-previewer', {
      content,
      substitution_data: { name: 'B' },
    });
    expect(jsonOf(inlined)).toMatchObject({ results: { subject: 'Hi B' } });
  });
});

test('mail by SMTP goes on while a transmission is made', async () => {
  const house = await House.open();
  await house.send({
    recipients: Array.from({ length: 3000 }, (_, n) => ({ address: `r${n}@x.test` })),
    content: inline,
  });
  const client = new Client();
  client.pipe = house.world.network.connect(endpoint('127.0.0.1:25'), '127.0.0.1', client);
  await house.world.clock.advance(50);
  expect(client.heard).toMatch(/^220 /);
});
