import { expect, test } from 'vitest';
import { errorOf, HttpRoom, jsonOf, request } from '../../test/support/http-room.ts';
import { testRoutes } from '../../test/support/http-routes.ts';

const open = (listener = '') => HttpRoom.open({ routes: testRoutes, listener });

/** A POST that wants a body, whose header goes on; and the body that it wants. */
const POST = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
const JSON_BODY = '{"name":"x"}';
const chunked = (size: string, behind = '\r\n', text = JSON_BODY): string =>
  `${POST}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${text}${behind}0\r\n\r\n`;
const GET = 'GET /hello/x HTTP/1.1\r\n';

test.each<[string, string, number?]>([
  ['the same length twice', `${POST}Content-Length: 12\r\nContent-Length: 12\r\n\r\n${JSON_BODY}`],
  ['a list of lengths', `${POST}Content-Length: 12, 12\r\n\r\n${JSON_BODY}`],
  ['a length in hex', `${POST}Content-Length: 0xc\r\n\r\n${JSON_BODY}`],
  ['no length', `${POST}Content-Length: \r\n\r\n`],
  ['a length that no number holds', `${POST}Content-Length: 99999999999999999999\r\n\r\n${JSON_BODY}`],
  ['a length with a blank inside', `${POST}Content-Length: 1 2\r\n\r\n${JSON_BODY}`],
  ['chunks, and then a length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n0\r\n\r\n`],
  ['an empty coding and a length', `${POST}Transfer-Encoding:\r\nContent-Length: 12\r\n\r\n${JSON_BODY}`],
  ['a coding that nobody knows', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 501],
  ['the coding identity', `${POST}Transfer-Encoding: identity\r\n\r\n${JSON_BODY}`, 501],
  ['a coding behind a vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
  ['a coding in quotation marks', `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`, 501],
  ['chunks twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  [
    'chunks, and identity in another field',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  ],
  ['chunks of chunks', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ['a coding in chunks', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
  ['chunks in HTTP/1.0', `${chunked('c').replace('HTTP/1.1', 'HTTP/1.0')}`],
  ['a chunk size with 0x', chunked('0xc')],
  ['a chunk size with a sign', chunked('-c')],
  ['a blank before a chunk size', chunked(' c')],
  ['a blank behind a chunk size', chunked('c ')],
  ['a chunk size that no number holds', chunked('FFFFFFFFFFFFFFFFF')],
  ['a chunk size that ends with a line feed', chunked('c').replace('c\r\n{', 'c\n{')],
  ['a chunk without an end', chunked('c', '')],
  ['a chunk that ends with a line feed', chunked('c', '\n')],
  ['a line feed in the extension of a chunk', chunked('c;a=b\nc')],
  ['a carriage return in the extension of a chunk', chunked('c;a=\rb')],
  ['an endless extension of a chunk', chunked(`c;${'a'.repeat(20_000)}`), 413],
  ['a length behind the last chunk', chunked('c').replace(/\r\n$/, 'Content-Length: 5\r\n\r\n')],
  ['endless fields behind the last chunk', chunked('c').replace(/\r\n$/, `${'X-Y: z\r\n'.repeat(5000)}\r\n`), 431],
  ['a line feed behind the last chunk', chunked('c').replace(/\r\n$/, '\n')],
  ['a blank in the target', 'GET /hello/x y HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a control character in the target', 'GET /hello/x\x01 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a carriage return in the target', 'GET /hello/x\rX-Y: z HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a byte above ASCII in the target', 'GET /hello/\xe4 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a target without a slash', 'GET hello/x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a field without a name', `${GET}Host: a\r\n: x\r\n\r\n`],
  ['a field without a colon', `${GET}Host: a\r\nX-Y\r\n\r\n`],
  ['NUL in a field', `${GET}Host: a\r\nX: a\0b\r\n\r\n`],
  ['a line feed in a field', `${GET}Host: a\r\nX: a\nHost: b\r\n\r\n`],
  ['a folded first field', `${GET} Host: a\r\n\r\n`],
  ['a Host that is none', `${GET}Host: a b/c@d\r\n\r\n`],
  ['two hosts in one field', `${GET}Host: a, b\r\n\r\n`],
  ['two Authorization', `${GET}Host: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n`],
  ['two Content-Type', `${POST}Content-Type: text/plain\r\nContent-Length: 12\r\n\r\n${JSON_BODY}`],
  ['HTTP/1.2', `${GET.replace('1.1', '1.2')}Host: a\r\n\r\n`],
  ['HTTP/2.0 in letters', `${GET.replace('1.1', '2.0')}Host: a\r\n\r\n`, 505],
  ['HTTP/0.9', 'GET /hello/x\r\n\r\n', 505],
  ['a version in small letters', `${GET.replace('HTTP', 'http')}Host: a\r\n\r\n`],
  ['a method in small letters', `${GET.replace('GET', 'get')}Host: a\r\n\r\n`],
])('what proxies and servers read in different ways ends the connection: %s', async (_what, text, status = 400) => {
  const room = await open();
  const client = room.client();
  client.says(Buffer.concat([Buffer.from(text, 'latin1'), request('GET /hello/smuggled')]));
  const answers = await client.answers(200);
  expect(answers.map((answer) => [answer.headers.connection, errorOf(answer)])).toMatchObject([
    ['close', { status, code: '1200' }],
  ]);
  expect([client.closed, room.told]).toEqual([true, []]);
});

test('what looks odd and is in order is served, and so is the next request', async () => {
  for (const text of [
    `${POST}Content-Length: 0012\r\n\r\n${JSON_BODY}`,
    chunked('c').replace('chunked', 'Chunked'),
    chunked('c').replace(' chunked', '\tchunked'),
    chunked('00c;a="b;c"'),
    chunked('c').replace(/\r\n$/, 'X-Checksum: 5\r\n\r\n'),
    `\r\n\r\n${GET}Host: a\r\n\r\n`,
    `${GET}Host:\r\n\r\n`,
    `${GET}Host: [::1]:2081\r\n\r\n`,
    'GET http://a/hello/x HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /hello/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    // Nobody asked for it, and it is not the next request.
    `${GET}Host: a\r\nContent-Length: 37\r\n\r\nGET /hello/in HTTP/1.1\r\nHost: a\r\n\r\n00`,
  ]) {
    const room = await open();
    const client = room.client();
    client.says(Buffer.concat([Buffer.from(text, 'latin1'), request('GET /hello/next')]));
    const answers = await client.answers(200);
    expect([text, answers.map(({ status }) => status)]).toEqual([text, [200, 200]]);
    expect(answers[1]?.text).toBe('{"hello":"next"}');
  }
});

test('escapes and names that are none of ours are no more than that', async () => {
  const room = await open();
  expect(errorOf(await room.ask('GET /hello/%ff'))).toMatchObject({ status: 400, code: '1200' });
  expect(errorOf(await room.ask('GET /hello%2fx'))).toMatchObject({ status: 404, code: '1101' });
  expect(errorOf(await room.ask('GET //hello/x'))).toMatchObject({ status: 404, code: '1101' });
  expect(errorOf(await room.ask(`GET /hello/${'x'.repeat(3000)}`))).toMatchObject({ status: 414, code: '1200' });
  expect(errorOf(await room.ask('OPTIONS *'))).toMatchObject({ status: 404, code: '1101' });
  expect(errorOf(await room.ask('GET /hello/x?times=1&times=2'))).toMatchObject({ status: 400, code: '1200' });
  expect(jsonOf(await room.ask('GET /hello/x?__proto__=1&constructor=2&times=2'))).toEqual({ hello: 'x', times: 2 });
  await room.ask('POST /echo', '{"name":"x","__proto__":{"count":"a"}}');
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('no answer and no line of the log has a line end of the client in it', async () => {
  const room = await open('Log_Requests_to_Paniclog = true');
  for (const path of ['/nothing%0d%0aX-Evil:%201', '/hello/%0d%0aX-Evil:%201', '/hello/x?a=%0d%0aX-Evil:%201"']) {
    const answer = await room.ask(`GET ${path}`);
    expect(Object.keys(answer.headers)).not.toContain('x-evil');
  }
  expect(room.told.filter((line) => /[\r\n]|X-Evil: 1/.test(line))).toEqual([]);
  expect(room.told).toHaveLength(3);
});

test('HEAD is GET without its body, also where that is long or an error', async () => {
  const room = await open();
  for (const path of ['/large', '/long', '/nothing', '/hello/x?times=0']) {
    const full = await room.ask(`GET ${path}`);
    const client = room.client();
    client.says(Buffer.concat([request(`HEAD ${path}`), request('GET /hello/next')]));
    await room.world.clock.advance(100);
    const [head = '', ...rest] = client.heard.split('\r\n\r\n');
    expect([path, head.split('\r\n')[0]?.includes(` ${full.status} `)]).toEqual([path, true]);
    expect(head).toContain(`content-length: ${full.body.length}`);
    expect(rest.at(-1)).toBe('{"hello":"next"}');
    expect(rest).toHaveLength(2);
  }
});
