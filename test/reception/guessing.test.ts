import { expect, test } from 'vitest';
import { WholeServer } from '../support/whole-server.ts';

const USERS = 'AuthPlainParameters = [ uri = "file:///users" ]';
const CONF = `
  ESMTP_Listener { Listen "10.0.0.25:587" { SMTP_Extensions = ( ENHANCEDSTATUSCODES "AUTH PLAIN" ) ${USERS} } }
  HTTP_Listener { Listen "10.0.0.25:80" { Enable_Authentication = true ${USERS} } }`;
const FROM = '192.0.2.7';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** @returns milliseconds until SMTP answers a right password */
async function wait(server: WholeServer): Promise<number> {
  const client = await server.connect('10.0.0.25:587', FROM);
  await client.says('EHLO client.test');
  const began = server.world.clock.now();
  let heard = await client.says(`AUTH PLAIN ${base64('\0ann\0secret')}`);
  while (!heard.startsWith('235')) {
    await server.world.clock.advance(100);
    heard = client.heard.slice(client.heard.lastIndexOf('\r\n', client.heard.length - 3) + 2);
  }
  return server.world.clock.now() - began;
}

test('who guesses at the door of HTTP is slow at that of SMTP, too', async () => {
  const server = await WholeServer.with(CONF);
  server.world.disk.put('/users', 'ann:secret\n');
  expect(await wait(server)).toBeLessThan(500);
  for (let guess = 0; guess < 5; guess++) {
    const client = await server.connect('10.0.0.25:80', FROM);
    const authorization = base64(`bob:guess ${guess}`);
    await client.says(
      'GET /stats/summary HTTP/1.1',
      'Host: x',
      `Authorization: Basic ${authorization}`,
      'Connection: close',
      '',
    );
    await server.world.clock.advance(5000);
    expect(client.heard).toMatch(/^HTTP\/1\.1 401 /);
  }
  expect(await wait(server)).toBeGreaterThan(1000);
});
