import { gunzipSync, gzipSync } from 'node:zlib';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { errorOf, HttpRoom, jsonOf, request } from '../../test/support/http-room.ts';
import { empty, json, results } from './answer.ts';
import { route } from './route.ts';

const open = { kind: 'public' } as const;

const echo = route({
  method: 'POST',
  path: '/echo',
  summary: 'says what it was told',
  tag: 'test',
  access: open,
  body: Type.Object({ name: Type.String({ maxLength: 10 }), count: Type.Optional(Type.Integer()) }),
  answer: { status: 200, summary: 'it', schema: Type.Object({ results: Type.Object({}) }) },
  run: ({ body }) => results(body),
});
const hello = route({
  method: 'GET',
  path: '/hello/:name',
  summary: 'greets',
  tag: 'test',
  access: open,
  params: Type.Object({ name: Type.String() }),
  query: Type.Object({ times: Type.Optional(Type.Integer({ minimum: 1 })), loud: Type.Optional(Type.Boolean()) }),
  answer: { status: 200, summary: 'it' },
  run: ({ params, query }) => json({ hello: params.name, ...query }),
});
const remove = route({
  method: 'DELETE',
  path: '/hello/:name',
  summary: 'forgets',
  tag: 'test',
  access: open,
  answer: { status: 204, summary: 'gone' },
  run: () => empty(),
});
const long = route({
  method: 'GET',
  path: '/long',
  summary: 'says much',
  tag: 'test',
  access: open,
  answer: { status: 200, summary: 'much', type: 'text/plain' },
  run: () => ({
    kind: 'pieces',
    status: 200,
    type: 'text/plain',
    pieces: Array.from({ length: 5000 }, (_, n) => `line ${n}\n`),
  }),
});
const broken = route({
  method: 'GET',
  path: '/broken',
  summary: 'fails',
  tag: 'test',
  access: open,
  answer: { status: 200, summary: 'never' },
  run: () => {
    throw new Error('a bug of ours');
  },
});
const routes = [echo, hello, remove, long, broken];

test('a request is answered, with the time of the world and without anything to cache', async () => {
  const room = await HttpRoom.open({ routes });
  const answer = await room.ask('GET /hello/you?times=3&loud=true&other=1');
  expect(answer.status).toBe(200);
  expect(jsonOf(answer)).toEqual({ hello: 'you', times: 3, loud: true, other: '1' });
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
  });
  expect(answer.headers['date']).toMatch(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
});
test('many', async () => {
  const room = await HttpRoom.open({ routes });
  const d = async (h: string, b: string | Uint8Array = '') => {
    const a = await room.ask(h, b);
    console.log(
      h.replaceAll('\n', ' | '),
      '=>',
      a.status,
      a.headers['allow'] ?? '',
      a.headers['connection'],
      a.text.slice(0, 200),
    );
  };
  await d('GET /nothing');
  await d('PUT /hello/x');
  await d('GET /hello/x/');
  await d('GET /hello/a+b%40x.test');
  await d('GET /hello/%zz');
  await d('GET /hello/x?times=0&loud=7');
  await d('DELETE /hello/x\nContent-Type: application/json\nContent-Length: 0');
  await d('POST /echo', '{"name":"x"}');
  await d('POST /echo', '{"name":"x');
  await d('POST /echo', '[1]');
  await d('POST /echo', '');
  await d('POST /echo', '{"name":5}');
  await d('POST /echo', '{"count":5.5}');
  await d('POST /echo\nContent-Type: text/plain', '{"name":"a"}');
  await d('POST /echo', Uint8Array.of(0x22, 0xff, 0x22));
  await d('POST /echo', '['.repeat(1000));
  await d('POST /echo\nContent-Encoding: gzip', gzipSync('{"name":"gz"}'));
  await d('POST /echo\nContent-Encoding: br', '{"name":"gz"}');
  await d('GET /broken');
  await d('HEAD /hello/x');
  await d('OPTIONS /hello/x');
  await d('PROPFIND /hello/x');
  console.log(room.told, room.ended, room.server.connections);
  const a = await room.ask('GET /long\nAccept-Encoding: gzip');
  console.log(a.headers, a.text.length);
  const b = await room.ask('GET /nothing\nTransfer-Encoding: chunked\nContent-Length: 5');
  console.log(errorOf(b), b.headers);
  expect(gunzipSync(gzipSync('a'))).toBeDefined();
  expect(request('')).toBeDefined();
});
