import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answersIn, errorOf, HttpRoom, jsonOf, request } from '../../test/support/http-room.ts';
import { testRoutes, unsayable, waiting } from '../../test/support/http-routes.ts';

const routes = testRoutes;
const open = (listener = '') => HttpRoom.open({ routes, listener });

test('a request is answered, with the time of the world and without anything to cache', async () => {
  const room = await open();
  const answer = await room.ask('GET /hello/you?times=3&loud=true&other=1');
  expect(answer.status).toBe(200);
  expect(jsonOf(answer)).toEqual({ hello: 'you', times: 3, loud: true });
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    date: 'Tue, 03 Mar 2026 10:00:00 GMT',
  });
});

test('paths: a trailing slash does not matter, escapes are decoded once, a plus stays a plus', async () => {
  const room = await open();
  const name = async (path: string) => jsonOf<{ hello: string }>(await room.ask(`GET ${path}`)).hello;
  expect(await name('/hello/you/')).toBe('you');
  expect(await name('/hello/a+b@x.test')).toBe('a+b@x.test');
  expect(await name('/hello/o%27neil%2525')).toBe("o'neil%25");
  expect(await name('/hello/my%20id')).toBe('my id');
  expect(errorOf(await room.ask('GET /hello/%zz'))).toMatchObject({ status: 400, code: '1200' });
});

test('what is not there is 404, and a method that a path lacks is 405 with those that it has', async () => {
  const room = await open();
  expect(errorOf(await room.ask('GET /nothing'))).toMatchObject({ status: 404, code: '1101' });
  expect(errorOf(await room.ask('GET /Hello/you'))).toMatchObject({ status: 404, code: '1101' });
  for (const method of ['PUT', 'OPTIONS', 'PROPFIND', 'TRACE']) {
    const answer = await room.ask(`${method} /hello/x`);
    expect(errorOf(answer)).toMatchObject({ status: 405, code: '1102' });
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD');
  }
  const head = await room.ask('GET /hello/x');
  const client = room.client();
  client.says(request('HEAD /hello/x'));
  await room.world.clock.advance(100);
  expect(client.heard).toContain(`content-length: ${head.body.length}`);
  expect(client.heard.endsWith('\r\n\r\n')).toBe(true);
});

test('DELETE with a Content-Type and an empty body is served, as a well-known client sends it', async () => {
  const answer = await (await open()).ask('DELETE /hello/x\nContent-Type: application/json\nContent-Length: 0');
  expect([answer.status, answer.text]).toEqual([204, '']);
});

test('mistakes in a body are told in the envelope, with the place', async () => {
  const room = await open();
  const told = async (body: string | Uint8Array, head = 'POST /echo') => errorOf(await room.ask(head, body));
  expect((await room.ask('POST /echo', '{"name":"x","more":[1]}')).status).toBe(200);
  expect(await told('')).toEqual({ status: 422, code: '1400', description: 'a body is required: a JSON object' });
  expect(await told('{"name":"x')).toMatchObject({ status: 422, code: '1300' });
  expect(await told('{"name":"x"} {"name":"y"}')).toMatchObject({ status: 422, code: '1300' });
  expect(await told('[1]')).toEqual({ status: 422, code: '1300', description: 'the body must be object' });
  expect(await told('{"name":5}')).toEqual({ status: 422, code: '1300', description: 'name must be string' });
  expect(await told('{"count":5}')).toEqual({ status: 422, code: '1400', description: 'name is required' });
  expect(await told('{"name":"x","list":[{"address":"a"},{}]}')).toMatchObject({
    code: '1400',
    description: 'list[1].address is required',
  });
  expect(await told('{"name":"x","count":"5"}')).toMatchObject({ code: '1300', description: 'count must be integer' });
  expect(await told(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ status: 400, code: '1305' });
  expect(await told('{"name":"a"}', 'POST /echo\nContent-Type: text/plain')).toMatchObject({
    status: 415,
    code: '1700',
  });
  expect(errorOf(await room.ask('GET /hello/x?times=0'))).toMatchObject({ status: 400, code: '1200' });
});

test('a body without a type is taken for JSON, and a type that is none is refused', async () => {
  const room = await open();
  const client = room.client();
  client.says('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n{"name":"x"}');
  expect((await client.answers(100)).map(({ status }) => status)).toEqual([200]);
  for (const type of [';', 'json', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])
    expect([type, errorOf(await room.ask(`POST /echo\nContent-Type: ${type}`, '{"name":"x"}'))]).toMatchObject([
      type,
      { status: 415, code: '1700' },
    ]);
});

test('a byte order mark is no part of the JSON, and a type with a charset or a suffix is JSON', async () => {
  const room = await open();
  const body = Buffer.from('\ufeff{"name":"x"}');
  expect((await room.ask('POST /echo\nContent-Type: application/json; charset=utf-8', body)).status).toBe(200);
  expect((await room.ask('POST /echo\nContent-Type: application/vnd.x+json', body)).status).toBe(200);
});

test('one hundred brackets in each other are read, one more is not', async () => {
  const room = await open();
  const nested = (deep: number) => `{"name":"]]]\\"[[","x":${'['.repeat(deep - 1)}${']'.repeat(deep - 1)}}`;
  expect((await room.ask('POST /echo', nested(100))).status).toBe(200);
  expect(errorOf(await room.ask('POST /echo', nested(101)))).toMatchObject({ status: 422, code: '1300' });
  expect(errorOf(await room.ask('POST /echo', '['.repeat(200_000)))).toMatchObject({ status: 422, code: '1300' });
});

test('a bug of ours is 500 without its words, which are in the log, and the next request is served', async () => {
  const room = await open();
  const client = room.client();
  client.says(Buffer.concat([request('GET /broken'), request('GET /hello/x')]));
  const [failed, served] = await client.answers(100);
  expect(failed && errorOf(failed)).toMatchObject({ status: 500, code: '1000' });
  expect(failed?.text).not.toContain('a bug of ours');
  expect(room.told.join()).toContain('a bug of ours');
  expect(served?.status).toBe(200);
});

test('an answer that cannot be made is 500, and one that breaks off ends its connection', async () => {
  const room = await HttpRoom.open({ routes: [...routes, ...unsayable] });
  expect(errorOf(await room.ask('GET /unsayable'))).toMatchObject({ status: 500, code: '1000' });
  const client = room.client();
  client.says(request('GET /stuck'));
  await room.world.clock.advance(100);
  expect(client.heard).toMatch(/^HTTP\/1\.1 200 /);
  expect(client.heard.endsWith('0\r\n\r\n')).toBe(false);
  expect([client.closed, room.server.connections]).toEqual([true, 0]);
  expect(room.told).toHaveLength(2);
});

test('requests that come all at once are answered in their order, however they are cut', async () => {
  const bytes = Buffer.concat([
    request('GET /hello/1'),
    request('POST /echo', '{"name":"2"}'),
    request('GET /nothing'),
    request('POST /echo\nTransfer-Encoding: chunked\nContent-Type: application/json'),
    Buffer.from('5\r\n{"nam\r\n7;x=y\r\ne":"4"}\r\n0\r\n\r\n'),
    request('GET /hello/5'),
  ]);
  const room = await open();
  const whole = room.client();
  whole.says(bytes);
  const expected = (await whole.answers(100)).map(({ status, text }) => [status, text]);
  expect(expected.map(([status]) => status)).toEqual([200, 200, 404, 200, 200]);
  const single = room.client();
  for (const byte of bytes) single.says(Uint8Array.of(byte));
  expect((await single.answers(1000)).map(({ status, text }) => [status, text])).toEqual(expected);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 6 }), async (cuts) => {
      const client = room.client();
      let at = 0;
      for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
        client.says(bytes.subarray(at, cut));
        await room.world.clock.advance(1);
        at = cut;
      }
      expect((await client.answers(100)).map(({ status, text }) => [status, text])).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

test('a connection is kept for the next request; Connection: close and HTTP/1.0 end it', async () => {
  const room = await open();
  const kept = room.client();
  kept.says(request('GET /hello/1'));
  await kept.answers(100);
  kept.says(request('GET /hello/2'));
  expect(await kept.answers(100)).toHaveLength(2);
  expect(kept.closed).toBe(false);
  for (const bytes of [request('GET /hello/1\nConnection: close'), Buffer.from('GET /hello/1 HTTP/1.0\r\n\r\n')]) {
    const client = room.client();
    client.says(bytes);
    expect((await client.answers(100)).map(({ status }) => status)).toEqual([200]);
    expect(client.closed).toBe(true);
  }
});

test('a client that has said everything and closes its side still gets its answer', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [slow.route], listener: 'Log_Requests_to_Paniclog = true' });
  const client = room.client();
  client.says(request('GET /wait'));
  client.pipe.end();
  await room.world.clock.advance(100);
  expect([room.ended, room.told]).toEqual([0, []]);
  slow.go();
  await room.world.clock.advance(100);
  expect([room.ended, room.told.length]).toEqual([1, 1]);
  expect(room.told[0]).toContain('"GET /wait HTTP/1.1" 200 15 ');
});

test.each([
  [
    'both Content-Length and Transfer-Encoding',
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two lengths', 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
  ['a length with a sign', 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc'],
  [
    'a coding behind chunked',
    'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  ],
  ['a blank before the colon', 'GET /hello/x HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc'],
  ['a folded field', 'GET /hello/x HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n'],
  ['a bare line feed', 'GET /hello/x HTTP/1.1\nHost: a\n\n'],
  ['a bare carriage return', 'GET /hello/x HTTP/1.1\r\nHost: a\rX: y\r\n\r\n'],
  ['no HTTP', 'EHLO client.example\r\n'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  [
    'a chunk size that is none',
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
  ],
])(
  'a request that can be read in two ways or in none is refused, and what follows is never read: %s',
  async (_what, text) => {
    const room = await open();
    const client = room.client();
    client.says(Buffer.concat([Buffer.from(text), request('GET /hello/smuggled')]));
    const answers = await client.answers(200);
    expect(answers).toHaveLength(1);
    expect(answers[0]?.status).toBe(400);
    expect(answers[0]?.headers.connection).toBe('close');
    expect(answers[0] && errorOf(answers[0])).toMatchObject({ code: '1200' });
    expect(client.closed).toBe(true);
  },
);

test('a second Host behind three thousand other fields is seen', async () => {
  const room = await open();
  const client = room.client();
  client.says(`GET /hello/x HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(3000)}Host: b\r\n\r\n`);
  const [answer] = await client.answers(100);
  expect(answer && errorOf(answer)).toMatchObject({ status: 400, code: '1200' });
});

test('without Host, or with two, a request is refused', async () => {
  const room = await open();
  for (const hosts of ['', 'Host: a\r\nHost: b\r\n']) {
    const client = room.client();
    client.says(`GET /hello/x HTTP/1.1\r\n${hosts}\r\n`);
    const [answer] = await client.answers(100);
    expect(answer && errorOf(answer)).toMatchObject({ status: 400, code: '1200' });
  }
});

test('a header of 16 KiB is too long, CONNECT is refused, and so is an expectation that nobody knows', async () => {
  const room = await open();
  const first = async (bytes: string | Uint8Array) => {
    const client = room.client();
    client.says(bytes);
    const [answer] = await client.answers(100);
    return answer && errorOf(answer);
  };
  expect(await first(request(`GET /hello/x\nX-Long: ${'a'.repeat(16_384)}`))).toMatchObject({ status: 431 });
  expect(await first('CONNECT mx.example:25 HTTP/1.1\r\nHost: mx.example:25\r\n\r\n')).toMatchObject({ status: 405 });
  expect(await first(request('GET /hello/x\nExpect: tea'))).toMatchObject({ status: 417 });
});

test('a wish for another protocol is not granted: the request is served as it is', async () => {
  const room = await open();
  const client = room.client();
  client.says(request('GET /hello/x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk'));
  client.says(request('GET /hello/y\nConnection: Upgrade\nUpgrade: websocket'));
  expect((await client.answers(100)).map(({ status }) => status)).toEqual([200, 200]);
});

test('a client that gives up in the middle of a body leaves nothing behind', async () => {
  const room = await open();
  const client = room.client();
  client.says('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{"name"');
  await room.world.clock.advance(10);
  client.pipe.destroy();
  await room.world.clock.advance(10);
  expect([room.ended, room.server.connections]).toEqual([1, 0]);
  expect(room.told).toEqual([]);
});

test('a trouble behind a good request is told after its answer', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [slow.route] });
  const client = room.client();
  client.says(Buffer.concat([request('GET /wait'), Buffer.from('nonsense\r\n\r\n')]));
  await room.world.clock.advance(100);
  expect(client.heard).toBe('');
  slow.go();
  expect((await client.answers(100)).map(({ status }) => status)).toEqual([200, 400]);
  expect(client.closed).toBe(true);
});

test('a body that breaks off behind a good request does not keep the connection', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [...routes, slow.route] });
  const client = room.client();
  client.says(request('GET /wait'));
  client.says(
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
  );
  await room.world.clock.advance(100);
  expect(client.heard).toBe('');
  slow.go();
  expect((await client.answers(100)).map(({ status }) => status)).toEqual([200, 400]);
  expect([client.closed, room.told]).toEqual([true, []]);
});

test('gzip goes out when it is asked for, and only then', async () => {
  const room = await open();
  const plain = await room.ask('GET /large');
  const zipped = await room.ask('GET /large\nAccept-Encoding: br, gzip;q=0.5');
  expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(gunzipSync(zipped.body).toString()).toBe(plain.text);
  expect((await room.ask('GET /large\nAccept-Encoding: gzip;q=0')).headers['content-encoding']).toBeUndefined();
});

test('long answers are chunked, unless Disable_Chunked says no or the client speaks HTTP/1.0', async () => {
  const chunked = await (await open()).ask('GET /long');
  expect(chunked.headers['transfer-encoding']).toBe('chunked');
  const whole = await (await open('Disable_Chunked = true')).ask('GET /long');
  expect(whole.headers['content-length']).toBe(String(chunked.body.length));
  expect(whole.text).toBe(chunked.text);
  const room = await open();
  const old = room.client();
  old.says('GET /long HTTP/1.0\r\n\r\n');
  const [answer] = await old.answers(100);
  expect([answer?.headers['transfer-encoding'], answer?.text]).toEqual([undefined, chunked.text]);
});

test('an answer that cannot be made is in the log as what the client got', async () => {
  const room = await HttpRoom.open({ routes: unsayable, listener: 'Log_Requests_to_Paniclog = true' });
  await room.ask('GET /unsayable');
  expect(room.told.at(-1)).toContain('"GET /unsayable HTTP/1.1" 500 ');
});

test('Log_Requests_to_Paniclog writes a line for each request', async () => {
  const room = await open('Log_Requests_to_Paniclog = true');
  await room.ask('GET /hello/x?times=2');
  await room.ask('GET /nothing');
  expect(room.told[0]).toMatch(/^: 127\.0\.0\.1:\d+ "GET \/hello\/x\?times=2 HTTP\/1\.1" 200 \d+ 0\.000$/);
  expect(room.told[1]).toContain('"GET /nothing HTTP/1.1" 404 ');
});

test('at the end idle connections close at once, requests under way get their answers, and the rest is cut off', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [...routes, slow.route] });
  const idle = room.client();
  idle.says(request('GET /hello/x'));
  const busy = room.client();
  busy.says(request('GET /wait'));
  await room.world.clock.advance(10);
  const closed = room.server.close(5000);
  await room.world.clock.advance(10);
  expect([idle.closed, busy.closed]).toEqual([true, false]);
  slow.go();
  const [answer] = await busy.answers(10);
  expect([answer?.status, answer?.headers.connection, busy.closed]).toEqual([200, 'close', true]);
  await closed;

  const stuck = await HttpRoom.open({ routes: [waiting().route] });
  stuck.client().says(request('GET /wait'));
  await stuck.world.clock.advance(10);
  const cut = stuck.server.close(5000);
  await stuck.world.clock.advance(5001);
  await cut;
  expect(stuck.server.connections).toBe(0);
});

test('consoles see what each client is doing', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [...routes, slow.route] });
  room.client();
  room.client().says('GET /hello');
  room.client().says('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{');
  room.client().says(request('GET /wait'));
  await room.world.clock.advance(1000);
  const seen = [...room.server.sessions()];
  expect(seen.map(({ state, floating }) => [state, floating])).toEqual([
    ['awaiting request', false],
    ['reading header', false],
    ['reading body', false],
    ['serving request', true],
  ]);
  expect(seen.every(({ remote, since }) => remote.ip === '127.0.0.1' && since < room.world.clock.now())).toBe(true);
  expect(new Set(seen.map(({ number }) => number)).size).toBe(4);
});

test('bytes of any kind never stop the server', async () => {
  const room = await open();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      const client = room.client();
      client.says(bytes);
      await room.world.clock.advance(5);
      expect(() => answersIn(Buffer.from(client.heard, 'latin1'))).not.toThrow();
      client.pipe.destroy();
    }),
    { numRuns: 200 },
  );
  expect((await room.ask('GET /hello/x')).status).toBe(200);
  expect(room.told).toEqual([]);
});
