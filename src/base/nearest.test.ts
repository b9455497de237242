import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const options = [
  'max_outbound_connections',
  'max_deliveries_per_connection',
  'retry_interval',
  'Relay_Hosts',
  'ehlo_hostname',
  'hostname',
  'mx',
];

test.each([
  ['max_outbound_conections', 'max_outbound_connections'],
  ['RELAY_HOST', 'Relay_Hosts'],
  ['rtery_interval', 'retry_interval'],
  ['host_name', 'hostname'],
  ['xm', 'mx'],
])('%s means %s', (word, meant) => {
  expect(nearest(word, options)).toBe(meant);
});

test.each(['frobnicate', '', 'zz', 'x'.repeat(10_000)])('%j is near to nothing', (word) => {
  expect(nearest(word, options)).toBeUndefined();
});

test('the first of two equally near words is taken', () => {
  expect(nearest('cart', ['card', 'care'])).toBe('card');
});
