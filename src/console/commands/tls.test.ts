import { expect, test } from 'vitest';
import { FakeHouse } from '../../../test/support/console/fake-house.ts';
import { run } from '../../../test/support/console/run.ts';

function house(): FakeHouse {
  const made = new FakeHouse();
  made.tlsContexts = [
    {
      side: 'server',
      ageSeconds: 28_404,
      certificates: ['/a.crt', '/b.crt'],
      authorities: '/ca.pem',
      ciphers: 'DEFAULT',
    },
    { side: 'client', ageSeconds: 5, certificates: [], authorities: 'public', ciphers: 'DEFAULT' },
  ];
  return made;
}

test('tls show cache lists contexts in the form of the manual, and counts handshakes that failed', async () => {
  expect(await run(house(), 'tls show cache')).toEqual({
    result: 'ok',
    text: [
      '   1) server context',
      '              age: 28404 seconds old',
      '      certificate: /a.crt',
      '      certificate: /b.crt',
      '          ca list: /ca.pem',
      '          ciphers: DEFAULT',
      '   2) client context',
      '              age: 5 seconds old',
      '      certificate: none',
      '          ca list: public',
      '          ciphers: DEFAULT',
      '3 handshakes of clients have failed.',
      '',
    ].join('\n'),
  });
  expect((await run(house(), 'tls show cache now')).result).toBe('usage');
});

test('tls flush cache makes them anew', async () => {
  const made = house();
  expect(await run(made, 'tls flush cache')).toEqual({ result: 'ok', text: 'Cache flush request submitted.\n' });
  expect(made.tlsFlushes).toBe(1);
});

test('tls rekey is gone, as it is in Momentum', async () => {
  expect((await run(house(), 'tls rekey')).text).toContain('tls command not understood');
});
