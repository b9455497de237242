import { beforeEach, describe, expect, test } from 'vitest';
import { parseCidr } from '../../src/base/index.ts';
import { ApiKeyFile, type Grant } from '../../src/http/index.ts';
import { WholeServer } from '../support/whole-server.ts';

const AT = '10.0.0.25:587';
const PARAMETERS = '[ uri = "apikey://" log_authentication = true ]';
const CONF = `
  API_Key_File = "/keys.json"
  ESMTP_Listener {
    Listen "${AT}" {
      Enable_Authentication = true
      SMTP_Extensions = ( ENHANCEDSTATUSCODES "AUTH PLAIN" "AUTH LOGIN" )
      AuthPlainParameters = ${PARAMETERS}
      AuthLoginParameters = ${PARAMETERS}
    }
  }`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const GRANTED = '235 2.7.0 Authentication successful';
const DENIED = '535 5.7.8 Authentication credentials invalid';
const FROM = '192.0.2.7';

let server: WholeServer;
beforeEach(async () => {
  server = await WholeServer.with(CONF);
});

const key = (grants: readonly Grant[], from: readonly string[] = []): Promise<string> => {
  const file = new ApiKeyFile({ ...server.world, path: '/keys.json' });
  const blocks = from.map((text) => parseCidr(text)).filter((block) => block !== undefined);
  return server.world.clock.until(file.create('app', grants, blocks));
};

/** AUTH PLAIN on a connection of its own. */
async function plain(user: string, password: string, from = FROM): Promise<string> {
  const client = await server.connect(AT, from);
  await client.says('EHLO client.test');
  return client.says(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
}

describe('an API key as the password of SMTP_Injection', () => {
  test('lets in by PLAIN and by LOGIN, and mail goes on from there', async () => {
    const secret = await key(['smtp/inject']);
    expect(await plain('SMTP_Injection', secret)).toBe(GRANTED);
    expect(await plain('smtp_injection', secret)).toBe(GRANTED);
    const client = await server.connect(AT, FROM);
    await client.says('EHLO client.test');
    expect(await client.says('MAIL FROM:<a@b.test>')).toContain('530 5.7.0');
    await client.says('AUTH LOGIN', base64('SMTP_Injection'));
    expect(await client.says(base64(secret))).toBe(GRANTED);
    expect(await client.says('MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>')).toContain('250 2.1.5');
    expect(server.told.join('\n')).not.toContain(secret);
  });

  test('does not let in with another name, another key, without the grant, or from elsewhere', async () => {
    const secret = await key(['smtp/inject'], ['198.51.100.0/24']);
    const other = await key(['transmissions/modify']);
    expect(await plain('SMTP_Injection', secret, '198.51.100.1')).toBe(GRANTED);
    expect(await plain('SMTP_Injection', secret)).toBe(DENIED);
    expect(await plain('ann', secret, '198.51.100.2')).toBe(DENIED);
    expect(await plain('SMTP_Injection', other, '203.0.113.1')).toBe(DENIED);
    expect(await plain('SMTP_Injection', 'f'.repeat(40), '203.0.113.2')).toBe(DENIED);
  });

  test('is refused once it is revoked', async () => {
    const secret = await key(['smtp/inject']);
    const file = new ApiKeyFile({ ...server.world, path: '/keys.json' });
    const [known] = await server.world.clock.until(file.read());
    await server.world.clock.until(file.revoke(known?.id ?? ''));
    await server.world.clock.advance(2000);
    expect(await plain('SMTP_Injection', secret)).toBe(DENIED);
  });

  test('is answered 454 while the file cannot be read', async () => {
    server.world.disk.put('/keys.json', 'no keys');
    await server.world.clock.advance(2000);
    expect(await plain('SMTP_Injection', 'f'.repeat(40))).toMatch(/^454 4\.7\.0 /);
  });
});
