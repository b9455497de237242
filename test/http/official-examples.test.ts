import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RealServer } from '../support/real-server.ts';

/*
 * The examples that come with the official client, unchanged but for the key and the address that they call. Most make
 * the same call twice at once, by promise and by callback, so a second outcome is that of a repeat.
 */

type Client = new (key: string, options: { origin: string }) => { request(...words: unknown[]): Promise<unknown> };

const require = createRequire(import.meta.url);
const Official = require('sparkpost') as Client;
const folder = join(dirname(require.resolve('sparkpost/package.json')), 'examples');

let real: RealServer;
const kept: string[] = [];

beforeAll(async () => {
  real = await RealServer.start({
    observe: (events) => {
      events.subscribe(['reception'], ({ recipient }) => void kept.push(recipient));
    },
  });
});
afterAll(() => real[Symbol.asyncDispose]());

/** @returns what its calls came to: `fine`, or the status and the code of the refusal */
async function example(name: string): Promise<readonly string[]> {
  const calls: Promise<string>[] = [];
  class Counted extends Official {
    constructor() {
      super(real.key, { origin: real.origin });
    }
    override request(...words: unknown[]): Promise<unknown> {
      const call = super.request(...words);
      calls.push(call.then(() => 'fine', outcome));
      return call;
    }
  }
  const quiet = { log: () => undefined };
  const take = (module: string): unknown => (module === 'sparkpost' ? Counted : require(module));
  try {
    compileFunction(readFileSync(join(folder, `${name}.js`), 'utf8'), ['require', 'console'])(take, quiet);
  } catch (error) {
    calls.push(Promise.resolve(outcome(error)));
  }
  return (await Promise.all(calls)).sort();
}

function outcome(error: unknown): string {
  const { statusCode, errors } = error as { statusCode?: number; errors?: readonly { code: string }[] };
  return statusCode === undefined ? String(error) : `${statusCode} ${errors?.[0]?.code}`;
}

const TWICE = ['fine', 'fine'];

test('templates: created once, the repeat is refused; read, shown, changed, deleted', async () => {
  expect(await example('templates/create')).toEqual(['400 3030', 'fine']);
  for (const name of ['list', 'get', 'get_draft', 'preview', 'update'])
    expect([name, await example(`templates/${name}`)]).toEqual([name, TWICE]);
  // It has only a draft.
  expect(await example('templates/update_published')).toEqual(['422 2005', '422 2005']);
  expect(await example('templates/delete')).toEqual(['404 undefined', 'fine']);
});

test('the suppression list: put, listed, and nobody there of that name', async () => {
  for (const name of ['upsert', 'upsert_bulk', 'list'])
    expect([name, await example(`suppressionList/${name}`)]).toEqual([name, TWICE]);
  expect(await example('suppressionList/get')).toEqual(['404 1600', '404 1600']);
  expect(await example('suppressionList/delete')).toEqual(['404 undefined', '404 undefined']);
});

test('transmissions: every way to send that needs nothing stored is taken, and listed afterwards', async () => {
  for (const name of ['send_inline_image', 'send_mime_parts', 'send_rfc822', 'list', 'list_by_campaign'])
    expect([name, await example(`transmissions/${name}`)]).toEqual([name, TWICE]);
  for (const name of ['send_with_bcc', 'send_with_bcc_sugar', 'send_with_cc', 'send_with_cc_sugar'])
    expect([name, await example(`transmissions/${name}`)]).toEqual([name, TWICE]);
  expect(await example('transmissions/list_by_template')).toEqual(TWICE);
  // Its second call misspells its own variable.
  expect(await example('transmissions/send_all_fields')).toEqual([
    'ReferenceError: tranmission is not defined',
    'fine',
  ]);
  expect(await example('transmissions/get')).toEqual(['404 1600', '404 1600']);
  await expect.poll(() => kept.includes('wilma@flintstone.com')).toBe(true);
});

test('transmissions of what nobody has stored are refused by name', async () => {
  for (const what of ['template', 'recipients_inline_content', 'recipients_stored_content'])
    expect([what, await example(`transmissions/send_stored_${what}`)]).toEqual([what, ['422 1603', '422 1603']]);
});

test('recipient lists: created once, the repeat is refused; listed, read, deleted', async () => {
  expect(await example('recipientLists/create')).toEqual(['400 5001', 'fine']);
  for (const name of ['list', 'get']) expect([name, await example(`recipientLists/${name}`)]).toEqual([name, TWICE]);
  // The client of today wants the id elsewhere than its own example has it, and asks nobody.
  expect(await example('recipientLists/update')).toEqual([]);
  expect(await example('recipientLists/delete')).toEqual(['404 undefined', 'fine']);
});

test('of what is not built there is nothing: lists are empty, the rest is not there', async () => {
  for (const room of ['webhooks', 'sendingDomains', 'inboundDomains', 'relayWebhooks', 'subaccounts']) {
    expect([room, await example(`${room}/list`)]).toEqual([room, TWICE]);
    expect([room, await example(`${room}/get`)]).toEqual([room, ['404 1600', '404 1600']]);
  }
  for (const name of ['messageEvents/search_default', 'messageEvents/search_campaignClicks', 'events/search_message'])
    expect([name, await example(name)]).toEqual([name, ['404 1600', '404 1600']]);
});
