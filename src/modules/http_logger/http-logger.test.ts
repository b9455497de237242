import { expect, test } from 'vitest';
import { millis } from '../../base/index.ts';
import type { RequestEvent } from '../../events/index.ts';
import { requestLine } from './http-logger.ts';

const event: RequestEvent = {
  kind: 'request',
  at: millis(1_772_532_000_999),
  generation: 1,
  remote: '192.0.2.1:4711',
  listener: '0.0.0.0:2081',
  method: 'GET',
  target: '/stats/summary?format=json',
  version: '1.1',
  status: 200,
  bytes: 627,
  millis: millis(0.4123),
};

test('a request is a line: seconds, both ends, the request without its first slash, status, bytes, milliseconds', () => {
  expect(requestLine(event)).toBe(
    '1772532000 192.0.2.1:4711 *:2081 "GET stats/summary?format=json HTTP/1.1" 200 627 0.412',
  );
  expect(requestLine({ ...event, listener: '[::]:2081' })).toContain(' [*]:2081 ');
  expect(requestLine({ ...event, listener: '10.0.0.0:2081' })).toContain(' 10.0.0.0:2081 ');
});

test('nothing in a path can end or forge a line', () => {
  expect(requestLine({ ...event, target: '/a\r\nb\x00' })).toContain('"GET a\\r\\nb\\x00 HTTP/1.1"');
});
