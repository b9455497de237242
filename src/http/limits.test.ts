import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { errorOf, HttpRoom, request } from '../../test/support/http-room.ts';
import { echo, long, testRoutes, waiting } from '../../test/support/http-routes.ts';

const open = (listener = '') => HttpRoom.open({ routes: testRoutes, listener });
const body = (bytes: number) => `{"name":"x","fill":"${'x'.repeat(bytes - 22)}"}`;
const TOO_LARGE = { status: 413, code: '1300' };

test('Max_Request_Size: a request at the limit is served, one byte more is 413', async () => {
  const room = await open('Max_Request_Size = 1000');
  expect((await room.ask('POST /echo', body(1000))).status).toBe(200);
  expect(errorOf(await room.ask('POST /echo', body(1001)))).toMatchObject(TOO_LARGE);
});

test('without Max_Request_Size megabytes are taken', async () => {
  const room = await open();
  expect((await room.ask('POST /echo', body(5_000_000))).status).toBe(200);
});

test('a length beyond the limit is refused before the body comes, and the connection closes', async () => {
  const room = await open();
  const client = room.client();
  client.says(
    `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${300 * 2 ** 20 + 1}\r\n\r\n{`,
  );
  const [answer] = await client.answers(100);
  expect(answer && errorOf(answer)).toMatchObject(TOO_LARGE);
  expect([answer?.headers.connection, client.closed]).toEqual(['close', true]);
});

test('chunks are counted while they come: whoever goes beyond the limit is cut off there', async () => {
  const room = await open('Max_Request_Size = 100000');
  const client = room.client();
  client.says('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = Buffer.concat([Buffer.from('2710\r\n'), Buffer.alloc(10_000, 0x20), Buffer.from('\r\n')]);
  let sent = 0;
  for (; sent < 100 && !client.peerEnded; sent++) {
    client.says(chunk);
    await room.world.clock.advance(1);
  }
  expect(sent).toBeLessThan(20);
  const [answer] = await client.answers(100);
  expect(answer && errorOf(answer)).toMatchObject(TOO_LARGE);
});

test('bodies may be compressed, and the limit holds for what comes out', async () => {
  const room = await open('Max_Request_Size = 100000');
  const zipped = (coding: string, bytes: Uint8Array) => room.ask(`POST /echo\nContent-Encoding: ${coding}`, bytes);
  const text = '{"name":"x"}';
  for (const [coding, bytes] of [
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['identity', Buffer.from(text)],
  ] as const)
    expect([coding, (await zipped(coding, bytes)).status]).toEqual([coding, 200]);
  expect((await zipped('gzip', gzipSync(body(100_000)))).status).toBe(200);
  expect(errorOf(await zipped('gzip', gzipSync(body(100_001))))).toMatchObject(TOO_LARGE);
  expect(errorOf(await zipped('gzip', gzipSync(Buffer.alloc(50_000_000))))).toMatchObject(TOO_LARGE);
  expect(errorOf(await zipped('gzip', Buffer.from(text)))).toMatchObject({ status: 400, code: '1200' });
  const unknown = await zipped('br', Buffer.from(text));
  expect(errorOf(unknown)).toMatchObject({ status: 415, code: '1700' });
  expect(unknown.headers['accept-encoding']).toBe('gzip, deflate');
});

test('who asks with Expect: 100-continue is told to go on only once the request has been found good', async () => {
  const room = await open('Max_Request_Size = 100');
  const head = (length: number) =>
    `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  const good = room.client();
  good.says(head(12));
  await room.world.clock.advance(10);
  expect(good.heard).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  good.says('{"name":"x"}');
  expect((await good.answers(10)).map(({ status }) => status)).toEqual([200]);
  const large = room.client();
  large.says(head(101));
  expect((await large.answers(10)).map(({ status }) => status)).toEqual([413]);
  expect(large.heard).not.toContain('100 Continue');
});

test('a client that says nothing for Idle_Time is let go, and 0 waits for ever', async () => {
  const room = await open('Idle_Time = 30');
  const silent = room.client();
  const kept = room.client();
  kept.says(request('GET /hello/x'));
  await room.world.clock.advance(29_000);
  expect([silent.closed, kept.closed]).toEqual([false, false]);
  await room.world.clock.advance(2000);
  expect([silent.closed, kept.closed, silent.heard]).toEqual([true, true, '']);
  const patient = await open('Idle_Time = 0');
  const client = patient.client();
  await patient.world.clock.advance(10_000_000);
  expect(client.closed).toBe(false);
});

test('a header must be complete within a minute, however steadily its bytes come', async () => {
  const room = await open('Idle_Time = 0');
  const client = room.client();
  client.says('GET /hello/x HTTP/1.1\r\nHost: a\r\nX: ');
  for (let second = 0; second < 61 && !client.peerEnded; second++) {
    client.says('x');
    await room.world.clock.advance(1000);
  }
  const [answer] = await client.answers(10);
  expect(answer && errorOf(answer)).toMatchObject({ status: 408, code: '1200' });
  expect(client.closed).toBe(true);
});

test('a body may pause for half a minute, and must not trickle', async () => {
  const room = await open('Idle_Time = 0');
  const head = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n';
  const paused = room.client();
  paused.says(head);
  await room.world.clock.advance(29_000);
  paused.says('{');
  await room.world.clock.advance(29_000);
  expect(paused.closed).toBe(false);
  const [late] = await paused.answers(2000);
  expect(late && errorOf(late)).toMatchObject({ status: 408 });
  const trickling = room.client();
  trickling.says(head);
  let seconds = 0;
  for (; seconds < 200 && !trickling.peerEnded; seconds++) {
    trickling.says('          ');
    await room.world.clock.advance(1000);
  }
  expect(seconds).toBeGreaterThan(60);
  expect(seconds).toBeLessThan(70);
  const [slow] = await trickling.answers(10);
  expect(slow && errorOf(slow)).toMatchObject({ status: 408 });
});

test('while we work nobody is idle', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [slow.route], listener: 'Idle_Time = 5' });
  const client = room.client();
  client.says(request('GET /wait'));
  await room.world.clock.advance(1_000_000);
  slow.go();
  expect((await client.answers(10)).map(({ status }) => status)).toEqual([200]);
});

test('a client that does not read is cut off after Idle_Time', async () => {
  const room = await HttpRoom.open({ routes: [long], listener: 'Idle_Time = 5' });
  const client = room.client();
  client.pipe.pause();
  for (let n = 0; n < 10; n++) client.says(request('GET /long'));
  await room.world.clock.advance(4000);
  expect(room.server.connections).toBe(1);
  await room.world.clock.advance(2000);
  expect(room.server.connections).toBe(0);
});

test('a thousand requests at once are served, and one at a time', async () => {
  const slow = waiting();
  let begun = 0;
  const counted: typeof slow.route = {
    ...slow.route,
    run: (call) => {
      begun++;
      return slow.route.run(call);
    },
  };
  const room = await HttpRoom.open({ routes: [counted] });
  const client = room.client();
  for (let n = 0; n < 1000; n++) client.says(request('GET /wait'));
  await room.world.clock.advance(1000);
  expect(begun).toBe(1);
  slow.go();
  const answers = await client.answers(1000);
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 1000 }, () => 200));
});

test('a route has a limit of its own, and without a body it takes no more than an empty object', async () => {
  const room = await HttpRoom.open({ routes: [{ ...echo, mostBytes: 50 }, ...testRoutes.slice(2)] });
  expect((await room.ask('POST /echo', body(50))).status).toBe(200);
  expect(errorOf(await room.ask('POST /echo', body(51)))).toMatchObject(TOO_LARGE);
  expect((await room.ask('DELETE /hello/x', '{}')).status).toBe(204);
  expect(errorOf(await room.ask('DELETE /hello/x', body(2000)))).toMatchObject(TOO_LARGE);
});

test('bodies that are under way have a limit together: who comes too much gets 503, before his is read', async () => {
  const slow = waiting();
  const held = { ...echo, path: '/held', run: slow.route.run };
  const room = await HttpRoom.open({ routes: [echo, held], mostBodyBytes: 100_000 });
  const head = (path: string, length: number) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  const first = room.client();
  first.says(head('/echo', 60_000));
  await room.world.clock.advance(100);
  const second = room.client();
  second.says(head('/echo', 60_000));
  const [refused] = await second.answers(100);
  expect(refused && errorOf(refused)).toEqual({
    status: 503,
    code: '1502',
    description: 'too many large requests are under way',
  });
  expect([refused?.headers['retry-after'], second.closed]).toEqual(['10', true]);
  expect((await room.ask('POST /echo', body(30_000))).status).toBe(200);
  // What is inflated counts, and so does what comes in chunks.
  expect(errorOf(await room.ask('POST /echo\nContent-Encoding: gzip', gzipSync(body(50_000))))).toMatchObject({
    status: 503,
  });
  const third = room.client();
  third.says('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let n = 0; n < 5; n++) third.says(`2710\r\n${' '.repeat(10_000)}\r\n`);
  expect((await third.answers(100)).map(({ status }) => status)).toEqual([503]);
  // Whoever goes gives back what he had.
  first.pipe.destroy();
  await room.world.clock.advance(100);
  expect((await room.ask('POST /echo', body(100_000))).status).toBe(200);
  // It is held until the answer.
  const fourth = room.client();
  fourth.says(request('POST /held', body(60_000)));
  await room.world.clock.advance(100);
  expect((await room.ask('POST /echo', body(60_000))).status).toBe(503);
  slow.go();
  expect((await fourth.answers(100)).map(({ status }) => status)).toEqual([200]);
  expect((await room.ask('POST /echo', body(60_000))).status).toBe(200);
});

test('without room nothing new is taken: 503 with Retry-After, before the body is read', async () => {
  let reason: string | undefined = 'the spool is full';
  const room = await HttpRoom.open({
    routes: [{ ...echo, needsRoom: true }],
    pressure: { reason: () => reason },
  });
  const refused = await room.ask('POST /echo\nExpect: 100-continue', '{"name":"x"}');
  expect(errorOf(refused)).toEqual({ status: 503, code: '1502', description: 'the spool is full' });
  expect(refused.headers['retry-after']).toBe('10');
  reason = undefined;
  expect((await room.ask('POST /echo', '{"name":"x"}')).status).toBe(200);
});
