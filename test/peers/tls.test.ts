import { writeFile } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { eventually } from '../end-to-end/harness.ts';
import { need } from './peers.ts';
import { Scene } from './tls-scene.ts';

const MOST = { timeout: 360_000 };

describe('openssl s_client', () => {
  test(
    'STARTTLS: TLS 1.3, our certificate verified with its chain, and the greeting behind it',
    MOST,
    async (context) => {
      const openssl = need(context, 'openssl');
      await using scene = await Scene.start();
      const said = await scene.openssl(
        openssl,
        ['-verify_return_error', '-verify_hostname', 'mx.impetus.test'],
        'EHLO again.test\nQUIT\n',
      );
      expect(said).toContain('Verify return code: 0 (ok)');
      expect(said).toMatch(/New, TLSv1\.3, Cipher is TLS_AES_256_GCM_SHA384/);
      expect(said).toContain('says EHLO to 127.0.0.1');
      expect(said).toContain('221 2.0.0');
      expect(said).toMatch(/says EHLO to 127\.0\.0\.1\r?\n(?:250-.*\r?\n)*250 ENHANCEDSTATUSCODES/);
    },
  );

  test('Use_SSL: the banner comes encrypted', MOST, async (context) => {
    const openssl = need(context, 'openssl');
    await using scene = await Scene.start();
    const said = await scene.openssl(openssl, ['-verify_return_error'], 'QUIT\n', true);
    expect(said).toContain('Verify return code: 0 (ok)');
    expect(said).toContain('220 impetus.test ESMTP');
    expect(said).toContain('221 2.0.0');
  });

  test.for<[string, readonly string[], boolean]>([
    ['TLS 1.2', ['-tls1_2'], true],
    ['TLS 1.3', ['-tls1_3'], true],
    ['TLS 1.1', ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0'], false],
  ])('%s by default', MOST, async ([name, words, works], context) => {
    const openssl = need(context, 'openssl');
    await using scene = await Scene.start();
    const said = await scene.openssl(openssl, words);
    expect(said.includes('221 2.0.0')).toBe(works);
    if (works) expect(said).toContain(`New, ${name.replace('TLS ', 'TLSv')}`);
    else
      await eventually('the paniclog tells of it', async () =>
        (await scene.server.log('paniclog')).includes('TLS handshake with 127.0.0.1'),
      );
  });

  test('TLS 1.1 where it is named', MOST, async (context) => {
    const openssl = need(context, 'openssl');
    await using scene = await Scene.start('TLS_Protocols = "+ALL:+TLSv1.1"');
    const said = await scene.openssl(openssl, ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0']);
    expect(said).toContain('TLSv1.1');
    expect(said).toContain('221 2.0.0');
  });

  test('ciphers, suites and curves are those of the options', MOST, async (context) => {
    const openssl = need(context, 'openssl');
    await using scene = await Scene.start(
      'TLS_Ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384" TLSv13_Ciphersuites = "TLS_CHACHA20_POLY1305_SHA256"',
      'TLS_EC_Curve_Names = "secp384r1"',
    );
    expect(await scene.openssl(openssl, ['-tls1_2'])).toContain('Cipher is ECDHE-ECDSA-AES256-GCM-SHA384');
    const modern = await scene.openssl(openssl, ['-tls1_3']);
    expect(modern).toContain('Cipher is TLS_CHACHA20_POLY1305_SHA256');
    expect(modern).toMatch(/secp384r1/);
  });

  test('SNI: each name gets its certificate, all others the first', MOST, async (context) => {
    const openssl = need(context, 'openssl');
    await using scene = await Scene.start();
    const other = scene.certificates.issue('other', ['other.test', '*.wild.test']);
    scene.server.configure(`
ESMTP_Listener {
  SMTP_Extensions = ( ENHANCEDSTATUSCODES STARTTLS )
  TLS_Certificate = "${scene.own.certificate}"
  TLS_Key = "${scene.own.key}"
  TLS_SNI_Certificates = ( "${other.certificate}|${other.key}" )
}`);
    const reloaded = await scene.server.console('config', 'reload');
    expect(reloaded.output).not.toContain('failed');
    for (const [name, shown] of [
      ['other.test', 'other.test'],
      ['a.wild.test', 'other.test'],
      ['mx.impetus.test', 'mx.impetus.test'],
      ['a.alt.impetus.test', 'mx.impetus.test'],
      ['nobody.test', 'mx.impetus.test'],
    ] as const)
      expect(await scene.openssl(openssl, ['-servername', name])).toContain(`CN = ${shown}`);
  });

  test(
    'a certificate that is renewed on disk is shown after a reload, and running sessions go on',
    MOST,
    async (context) => {
      const openssl = need(context, 'openssl');
      await using scene = await Scene.start();
      const before = await serialOf(scene, openssl);
      scene.certificates.issue('mx', ['mx.impetus.test']);
      expect(await serialOf(scene, openssl)).toBe(before);
      expect((await scene.server.console('config', 'reload')).code).toBe(0);
      const after = await serialOf(scene, openssl);
      expect(after).not.toBe(before);
      await writeFile(scene.own.key, 'garbage');
      const failed = await scene.server.console('config', 'reload');
      expect(failed.output + failed.errors).toContain('there is no usable key in');
      expect(await serialOf(scene, openssl)).toBe(after);
    },
  );

  test('commands behind STARTTLS in clear end the session', MOST, async () => {
    await using scene = await Scene.start();
    const { createConnection } = await import('node:net');
    const text = await new Promise<string>((resolve) => {
      let said = '';
      const socket = createConnection(scene.server.port, '127.0.0.1').setEncoding('latin1');
      socket.on('data', (chunk: string) => {
        said += chunk;
        if (said.endsWith('\r\n') && said.startsWith('220') && !said.includes('250')) socket.write('EHLO a.test\r\n');
        if (said.includes('250 STARTTLS\r\n') && !said.includes('421'))
          socket.write('STARTTLS\r\nMAIL FROM:<evil@x.y>\r\n');
      });
      socket.on('end', () => resolve(said));
    });
    expect(text).toContain('421 4.7.0 protocol deviation: commands behind STARTTLS\r\n');
    await eventually('the rejectlog tells of it', async () =>
      (await scene.server.log('rejectlog')).includes('commands behind STARTTLS'),
    );
  });
});

async function serialOf(scene: Scene, openssl: string): Promise<string> {
  const said = await scene.openssl(openssl, []);
  return /-----BEGIN CERTIFICATE-----[^-]+/.exec(said)?.[0] ?? said;
}

test.for<[string, boolean]>([
  ['TLS_Allow_Renegotiation = true', true],
  ['TLS_Allow_Renegotiation = false', false],
])('%s', MOST, async ([option, allowed]) => {
  await using scene = await Scene.start(option);
  const renegotiated = await new Promise<boolean>((resolve) => {
    const socket = connect({
      port: scene.implicit,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.2',
      rejectUnauthorized: false,
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.once('secureConnect', () => {
      socket.renegotiate({ rejectUnauthorized: false }, (error) => {
        resolve(error === null);
        socket.destroy();
      });
      setTimeout(() => socket.destroy(), 3000).unref();
    });
    socket.resume();
  });
  expect(renegotiated).toBe(allowed);
});

test('a session that began with the old certificate goes on when it is renewed', MOST, async () => {
  await using scene = await Scene.start();
  const connected = async (): Promise<{
    socket: TLSSocket;
    serial: string;
    says: (line: string) => Promise<string>;
  }> => {
    const socket = connect({ port: scene.implicit, host: '127.0.0.1', rejectUnauthorized: false }).setEncoding(
      'latin1',
    );
    let heard = '';
    socket.on('data', (text: string) => {
      heard += text;
    });
    const line = async (): Promise<string> => {
      const end = await eventually('a reply', () => heard.indexOf('\r\n') !== -1 && heard.indexOf('\r\n') + 2);
      const said = heard.slice(0, end);
      heard = heard.slice(end);
      return said;
    };
    await line();
    const says = (text: string): Promise<string> => {
      socket.write(`${text}\r\n`);
      return line();
    };
    return { socket, serial: socket.getPeerCertificate().serialNumber, says };
  };
  const before = await connected();
  scene.certificates.issue('mx', ['mx.impetus.test']);
  expect((await scene.server.console('config', 'reload')).code).toBe(0);
  const after = await connected();
  expect(after.serial).not.toBe(before.serial);
  expect(await before.says('NOOP')).toBe('250 2.0.0 OK\r\n');
  expect(await before.says('QUIT')).toMatch(/^221 /);
  before.socket.destroy();
  after.socket.destroy();
});
