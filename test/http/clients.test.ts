import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RealServer } from '../support/real-server.ts';

/*
 * Clients that customers use today, unchanged but for the address that they call: the official one of this family of
 * interfaces, and nodemailer with its transport. Neither brings types.
 */

interface Sent {
  readonly results: {
    readonly id: string;
    readonly total_accepted_recipients: number;
    readonly total_rejected_recipients: number;
  };
}
type Call = (...words: unknown[]) => Promise<unknown>;
interface Resource {
  readonly list: Call;
  readonly get: Call;
  readonly create: Call;
  readonly update?: Call;
  readonly delete?: Call;
  readonly verify?: Call;
  readonly validate?: Call;
  readonly getBatchStatus?: Call;
  readonly getDocumentation?: Call;
  readonly getSamples?: Call;
}
interface SparkPost {
  readonly transmissions: {
    send(request: unknown, options?: unknown): Promise<Sent>;
    readonly list: Call;
    readonly get: Call;
  };
  readonly templates: Readonly<Record<'list' | 'get' | 'create' | 'update' | 'delete' | 'preview', Call>>;
  readonly suppressionList: Readonly<Record<'list' | 'get' | 'upsert' | 'delete', Call>>;
  readonly recipientLists: Readonly<Record<'list' | 'get' | 'create' | 'update' | 'delete', Call>>;
  readonly webhooks: Resource;
  readonly sendingDomains: Resource;
  readonly relayWebhooks: Resource;
  readonly inboundDomains: Resource;
  readonly subaccounts: Resource;
}
interface Nodemailer {
  createTransport(transport: unknown): {
    sendMail(mail: unknown): Promise<{ messageId: string; accepted: number; rejected: number }>;
  };
}

const require = createRequire(import.meta.url);
const Client = require('sparkpost') as new (key: string, options: { origin: string; debug?: boolean }) => SparkPost;
const nodemailer = require('nodemailer') as Nodemailer;
const transport = require('nodemailer-sparkpost-transport') as (options: unknown) => unknown;

let real: RealServer;
let client: SparkPost;
let key = '';
let origin = '';
/** Messages that were kept. */
const kept: { readonly recipient: string; readonly sender: string }[] = [];
/** Recipients of whom nothing came, and why. */
const failed: string[] = [];

beforeAll(async () => {
  real = await RealServer.start({
    observe: (events) => {
      events.subscribe(['reception'], ({ recipient, sender }) => void kept.push({ recipient, sender }));
      events.subscribe(['generation'], ({ recipient, reason }) => void failed.push(`${recipient}: ${reason}`));
    },
  });
  ({ key, origin } = real);
  client = new Client(key, { origin });
});

afterAll(() => real[Symbol.asyncDispose]());

const content = { from: 'news@shop.test', subject: 'Hi', text: 'Hello {{name}}' };
const list = (one: unknown): readonly { readonly id?: string; readonly recipient?: string }[] =>
  (one as { results: [] }).results;

describe('the official client', () => {
  test('sends to several, with cc and bcc, and lists and gets what it sent', async () => {
    kept.length = 0;
    const sent = await client.transmissions.send(
      {
        campaign_id: 'c1',
        content,
        recipients: [{ address: { email: 'a@x.test', name: 'A, "B" ' } }],
        cc: [{ address: { email: 'cc@x.test', name: 'C' } }],
        bcc: [{ address: ' bcc@x.test' }],
      },
      { num_rcpt_errors: 3 },
    );
    expect(sent.results).toMatchObject({ total_accepted_recipients: 3, total_rejected_recipients: 0 });
    await expect
      .poll(() => kept.map(({ recipient }) => recipient).sort())
      .toEqual(['a@x.test', 'bcc@x.test', 'cc@x.test']);
    expect(list(await client.transmissions.list({ campaign_id: 'c1' })).map(({ id }) => id)).toEqual([sent.results.id]);
    expect(await client.transmissions.get(sent.results.id)).toMatchObject({
      results: { transmission: { id: sent.results.id, num_rcpts: 3 } },
    });
  });

  test('templates: create, list, get, update, publish, preview, send with cc, delete', async () => {
    const { templates } = client;
    expect(await templates.create({ id: 'my-1', name: 'One', content })).toMatchObject({ results: { id: 'my-1' } });
    expect(list(await templates.list()).map(({ id }) => id)).toEqual(['my-1']);
    expect(await templates.get('my-1', { draft: true })).toMatchObject({ results: { content } });
    await templates.update('my-1', { published: true });
    await templates.update('my-1', { content: { ...content, subject: 'New {{name}}' } }, { update_published: true });
    expect(await templates.preview('my-1', { substitution_data: { name: 'Ann' }, draft: false })).toMatchObject({
      results: { subject: 'New Ann' },
    });
    const sent = await client.transmissions.send({
      content: { template_id: 'my-1' },
      recipients: [{ address: 'a@x.test' }],
      cc: [{ address: 'c@x.test' }],
    });
    expect(sent.results.total_accepted_recipients).toBe(2);
    await expect
      .poll(async () => (await client.transmissions.get(sent.results.id)) as object)
      .toMatchObject({ results: { transmission: { state: 'Success', num_failed_gen: 0 } } });
    await templates.delete('my-1');
    await expect(templates.get('my-1')).rejects.toMatchObject({ statusCode: 404, errors: [{ code: '1600' }] });
  });

  test('the suppression list: addresses go into the path unencoded', async () => {
    const { suppressionList } = client;
    await suppressionList.upsert({ recipient: 'A+b@x.test', type: 'transactional' });
    await suppressionList.upsert([
      { recipient: "o'neil@x.test", non_transactional: true },
      { recipient: 'c@x.test', type: 'non_transactional' },
    ]);
    expect(list(await suppressionList.get('a+b@x.test'))[0]).toMatchObject({ recipient: 'a+b@x.test' });
    expect(list(await suppressionList.get("o'neil@x.test"))).toHaveLength(1);
    expect(list(await suppressionList.list({ types: 'non_transactional', limit: 5 }))).toHaveLength(2);
    await suppressionList.delete('a+b@x.test');
    await expect(suppressionList.get('a+b@x.test')).rejects.toMatchObject({ statusCode: 404 });
  });

  test('recipient lists: create, list, get with recipients, send to it, update, delete', async () => {
    const { recipientLists } = client;
    expect(
      await recipientLists.create({
        id: 'l',
        recipients: [{ address: 'a@x.test' }, { address: 'no' }],
        num_rcpt_errors: 2,
      }),
    ).toMatchObject({ results: { id: 'l', total_accepted_recipients: 1, rcpt_to_errors: [{ code: '1300' }] } });
    expect(list(await recipientLists.list()).map(({ id }) => id)).toEqual(['l']);
    expect(await recipientLists.get('l', { show_recipients: true })).toMatchObject({
      results: { recipients: [{ address: 'a@x.test' }] },
    });
    kept.length = 0;
    await client.transmissions.send({ content, recipients: { list_id: 'l' } });
    await expect.poll(() => kept.map(({ recipient }) => recipient)).toEqual(['a@x.test']);
    await recipientLists.update('l', { recipients: [{ address: 'b@x.test' }] });
    await recipientLists.delete('l');
    await expect(recipientLists.get('l')).rejects.toMatchObject({ statusCode: 404, errors: [{ code: '1600' }] });
  });

  test('what this server does not have is an empty list, and nothing of it is found', async () => {
    const calls = ['webhooks', 'sendingDomains', 'relayWebhooks', 'inboundDomains', 'subaccounts'] as const;
    for (const name of calls) {
      const resource = client[name];
      expect([name, await resource.list()]).toEqual([name, expect.objectContaining({ results: [] })]);
      const wanted = {
        name: 'x',
        target: 'https://x.test/',
        events: ['open'],
        domain: 'x.test',
        keyLabel: 'x',
        keyGrants: ['a'],
      };
      const others = [resource.get('1'), resource.create(wanted)];
      if (resource.update !== undefined) others.push(resource.update('1', wanted));
      if (resource.delete !== undefined) others.push(resource.delete('1'));
      if (resource.verify !== undefined) others.push(resource.verify('x.test', {}));
      if (resource.validate !== undefined) others.push(resource.validate('1', { message: {} }));
      if (resource.getBatchStatus !== undefined) others.push(resource.getBatchStatus('1', { limit: 1 }));
      if (resource.getDocumentation !== undefined) others.push(resource.getDocumentation());
      if (resource.getSamples !== undefined) others.push(resource.getSamples({ events: 'open' }));
      for (const outcome of await Promise.allSettled(others))
        expect([name, outcome]).toMatchObject([name, { status: 'rejected', reason: { statusCode: 404 } }]);
    }
    await expect(client.webhooks.get('1')).rejects.toMatchObject({ errors: [{ code: '1600' }] });
  });

  test('mistakes are read from the envelope', async () => {
    await expect(client.transmissions.send({ content, recipients: [{ address: 'nobody' }] })).rejects.toMatchObject({
      statusCode: 400,
      errors: [{ code: '5002' }, { code: '1300' }],
    });
    await expect(new Client('wrong', { origin }).templates.list()).rejects.toMatchObject({ statusCode: 401 });
  });
});

describe('nodemailer with its transport', () => {
  const mailer = () => nodemailer.createTransport(transport({ sparkPostApiKey: key, endpoint: origin }));

  test('a message with an attachment, names, headers, cc and bcc', async () => {
    kept.length = 0;
    const sent = await mailer().sendMail({
      from: { address: 'news@shop.test' },
      to: [{ name: 'B', address: 'b@x.test' }, 'f@x.test'],
      cc: 'd@x.test',
      bcc: 'e@x.test',
      subject: 'Grüße',
      text: 'Text',
      html: '<b>html</b>',
      headers: { 'X-A': 'b' },
      attachments: [{ filename: 'a.pdf', content: Buffer.from('not really') }],
    });
    expect(sent).toMatchObject({ accepted: 4, rejected: 0 });
    expect(sent.messageId).toMatch(/^\d+$/);
    await expect
      .poll(() => kept.map(({ recipient }) => recipient).sort())
      .toEqual(['b@x.test', 'd@x.test', 'e@x.test', 'f@x.test']);
    expect(failed).toEqual([]);
    expect(kept[0]?.sender).toBe('news@shop.test');
  });

  test('a list of addresses as one text is split at every comma: the junk is refused, the others get their mail', async () => {
    const sent = await mailer().sendMail({
      from: 'news@shop.test',
      to: '"B, Q" <b@x.test>, c@x.test',
      subject: 'x',
      text: 'y',
    });
    expect(sent).toMatchObject({ rejected: 1 });
    expect(sent.accepted).toBeGreaterThanOrEqual(1);
  });

  test('a message that is raw', async () => {
    const sent = await mailer().sendMail({
      raw: 'From: news@shop.test\r\nTo: a@x.test\r\nSubject: x\r\n\r\nHello',
      to: 'a@x.test',
    });
    expect(sent).toMatchObject({ accepted: 1, rejected: 0 });
  });
});

test('deletes come with a type, a length of zero and no Accept', async () => {
  const headers = { Authorization: key, 'Content-Type': 'application/json' };
  await fetch(`${origin}/api/v1/templates`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ id: 'my.id', content }),
  });
  expect((await fetch(`${origin}/api/v1/templates/my%2Eid`, { method: 'DELETE', headers })).status).toBe(200);
});

test('a plain text where base64 belongs is refused by the name of the file', async () => {
  const body = {
    recipients: [{ address: 'a@x.test' }],
    content: { ...content, attachments: [{ name: 'a.txt', data: 'plain text!' }] },
  };
  const headers = { Authorization: key, 'Content-Type': 'application/json' };
  const answer = await fetch(`${origin}/api/v1/transmissions`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining('a.txt')]);
});
