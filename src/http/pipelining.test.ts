import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { type HttpClient, HttpRoom, request } from '../../test/support/http-room.ts';
import { echo, hello, waiting } from '../../test/support/http-routes.ts';
import type { Pipe } from '../world/index.ts';
import { json } from './answer.ts';
import { PipeStream } from './node-http.ts';
import { type Route, route } from './route.ts';

const BYTES = 50_000;

/** Long answers, and how many of them were made. */
function longWinded(): { readonly route: Route; made: number } {
  const counted = {
    made: 0,
    route: route({
      method: 'GET',
      path: '/long-winded',
      summary: 'says much',
      tag: 'test',
      access: { kind: 'public' },
      answer: { status: 200, summary: 'much' },
      run: () => {
        counted.made++;
        return json('x'.repeat(BYTES));
      },
    }),
  };
  return counted;
}

/** So many requests in one write: a few bytes each. */
const many = (count: number, path: string): Uint8Array =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(count));

test('a client that asks a hundred times in one breath and reads nothing has one answer made', async () => {
  const much = longWinded();
  const room = await HttpRoom.open({ routes: [much.route] });
  const client = room.client();
  client.pipe.pause();
  client.says(many(100, '/long-winded'));
  await room.world.clock.advance(1000);
  expect(much.made).toBeLessThan(5);
  client.pipe.resume();
  for (let second = 0; second < 100 && much.made < 100; second++) await room.world.clock.advance(1000);
  expect(await client.answers(1000)).toHaveLength(100);
});

test('two thousand requests behind one that takes its time are answered in the end', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [slow.route, hello] });
  const client = room.client();
  client.says(request('GET /wait'));
  client.says(many(2000, '/hello/x'));
  await room.world.clock.advance(1000);
  slow.go();
  for (let turn = 0; turn < 20; turn++) await room.world.clock.advance(100);
  expect(await client.answers(100)).toHaveLength(2001);
});

test('a client that says much and closes its side at once is answered to the last request', async () => {
  for (const count of [1, 3, 200, 700]) {
    const room = await HttpRoom.open({ routes: [hello, echo], listener: 'Log_Requests_to_Paniclog = true' });
    const client = room.client();
    client.says(
      Buffer.concat([request('POST /echo', `{"name":"x","fill":"${'x'.repeat(100_000)}"}`), many(count, '/hello/x')]),
    );
    client.pipe.end();
    await room.world.clock.advance(1000);
    // Its pipe gives it nothing any more: what was answered is in the log.
    expect([count, room.told.filter((line) => line.includes(' 200 ')).length]).toEqual([count, count + 1]);
    expect([client.closed, room.server.connections]).toEqual([true, 0]);
  }
});

test('a reader that holds in the middle of a chunk is given no more of it, and later the rest in its order', async () => {
  let paused = false;
  const pipe = { pause: () => void (paused = true), resume: () => void (paused = false) } as Pipe;
  const stream = new PipeStream(pipe, () => undefined);
  const given: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    given.push(chunk);
    stream.hold(true);
  });
  stream.resume();
  await new Promise<void>((go) => process.nextTick(go));
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, n) => n % 251));
  stream.received(bytes.subarray(0, 100_000));
  stream.received(bytes.subarray(100_000));
  expect(Buffer.concat(given).length).toBe(8192);
  expect(paused).toBe(true);
  for (let turn = 0; turn < 100; turn++) {
    stream.hold(false);
    await new Promise<void>((go) => process.nextTick(go));
  }
  expect(Buffer.concat(given).equals(bytes)).toBe(true);
});

test('what a client asks behind a request that ends the connection is not done', async () => {
  const done: unknown[] = [];
  const order = route({
    method: 'POST',
    path: '/order',
    summary: 'does something',
    tag: 'test',
    access: { kind: 'public' },
    body: Type.Object({ n: Type.Integer() }),
    mostBytes: 50,
    answer: { status: 200, summary: 'done' },
    run: ({ body }) => {
      done.push(body);
      return json({});
    },
  });
  const cases: readonly [string, Uint8Array][] = [
    ['one that is too large', request('POST /order', `{"n":0,"x":"${'x'.repeat(100)}"}`)],
    ['one that says so', request('GET /hello/x\nConnection: close')],
    ['one of HTTP/1.0', Buffer.from('GET /hello/x HTTP/1.0\r\n\r\n')],
  ];
  for (const [what, first] of cases) {
    const room = await HttpRoom.open({ routes: [order, hello] });
    const client = room.client();
    client.says(Buffer.concat([first, request('POST /order', '{"n":1}')]));
    expect([what, (await client.answers(1000)).length, done, client.closed]).toEqual([what, 1, [], true]);
  }
});

test('a server that closes answers what it has begun, and does not begin what waits behind it', async () => {
  const slow = waiting();
  let begun = 0;
  const other: Route = { ...hello, run: (call) => (begun++, hello.run(call)) };
  const room = await HttpRoom.open({ routes: [slow.route, other] });
  const client = room.client();
  client.says(Buffer.concat([request('GET /wait'), request('GET /hello/x')]));
  await room.world.clock.advance(10);
  const closed = room.server.close(5000);
  slow.go();
  const answers = await client.answers(100);
  await closed;
  expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual([[200, 'close']]);
  expect(begun).toBe(0);
});

const head = (bytes: number): string =>
  `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`;

/** A body in two halves with a minute between them, of which nobody asks to have the second. */
async function inHalves(room: HttpRoom, client: HttpClient, meanwhile: () => void): Promise<number | undefined> {
  const body = Buffer.from(`{"name":"x","fill":"${'x'.repeat(400_000)}"}`);
  client.says(Buffer.concat([Buffer.from(head(body.length)), body.subarray(0, 200_000)]));
  await room.world.clock.advance(70_000);
  meanwhile();
  await room.world.clock.advance(100);
  client.says(body.subarray(200_000));
  return (await client.answers(1000)).at(-1)?.status;
}

test('a body that we do not read is not late: behind a request that takes its time', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [slow.route, echo] });
  const client = room.client();
  client.says(request('GET /wait'));
  expect(await inHalves(room, client, slow.go)).toBe(200);
});

test('a body that we do not read is not late: while it is looked up who sends it', async () => {
  const gate = Promise.withResolvers<'right'>();
  const room = await HttpRoom.open({
    routes: [{ ...echo, access: { kind: 'listener', grant: 'stats/modify' } }],
    listener: 'Enable_Authentication = true',
    credentials: {
      offers: () => ({ basic: true, digest: undefined }),
      check: () => gate.promise,
      digest: async () => 'unavailable',
    },
  });
  const client = room.client();
  const says = client.says.bind(client);
  client.says = (bytes) =>
    says(
      Buffer.from(
        Buffer.from(bytes).toString('latin1').replace('Host: a', 'Host: a\r\nAuthorization: Basic YTpi'),
        'latin1',
      ),
    );
  const status = inHalves(room, client, () => gate.resolve('right'));
  expect(await status).toBe(200);
});

test('once a body is read again it may pause for half a minute, and no longer', async () => {
  const slow = waiting();
  const room = await HttpRoom.open({ routes: [slow.route, echo] });
  const client = room.client();
  client.says(Buffer.concat([request('GET /wait'), Buffer.from(head(100)), Buffer.from('{')]));
  await room.world.clock.advance(100_000);
  slow.go();
  await room.world.clock.advance(29_000);
  expect(client.closed).toBe(false);
  const answers = await client.answers(2000);
  expect([answers.map(({ status }) => status), client.closed]).toEqual([[200, 408], true]);
});

test('a client that does not read is cut off after Idle_Time, however much it says meanwhile', async () => {
  const much = longWinded();
  const room = await HttpRoom.open({ routes: [much.route], listener: 'Idle_Time = 5' });
  const client = room.client();
  client.pipe.pause();
  client.says(many(3, '/long-winded'));
  for (let second = 0; second < 4; second++) {
    await room.world.clock.advance(1000);
    client.says('G');
  }
  expect(room.server.connections).toBe(1);
  await room.world.clock.advance(2000);
  expect(room.server.connections).toBe(0);
});
