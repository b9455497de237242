import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { Certificates } from '../support/certificates.ts';
import { answersIn, type HttpAnswer, request } from '../support/http-room.ts';
import { RealServer } from '../support/real-server.ts';

type Shown = 'good' | 'stranger' | 'other authority' | 'expired' | 'none';

/** A server with TLS from the first byte, and clients that show one certificate or another, over real sockets. */
class Scene implements AsyncDisposable {
  readonly real: RealServer;
  readonly #folder: string;
  readonly #certificates: Certificates;

  private constructor(real: RealServer, folder: string, certificates: Certificates) {
    this.real = real;
    this.#folder = folder;
    this.#certificates = certificates;
  }

  static async open(listener: string): Promise<Scene> {
    let made: { readonly folder: string; readonly certificates: Certificates } | undefined;
    const real = await RealServer.start({
      http: `Use_SSL = true TLS_Certificate = "@/mx.crt" TLS_Key = "@/mx.key" ${listener}`,
      prepare: (folder) => {
        const certificates = new Certificates(folder);
        certificates.issue('mx', ['mx.test']);
        made = { folder, certificates };
      },
    });
    if (made === undefined) throw new Error('no folder');
    return new Scene(real, made.folder, made.certificates);
  }

  async ask(shown: Shown, head: string): Promise<HttpAnswer> {
    const identity = this.#identity(shown);
    const socket = connect({
      port: this.real.port,
      host: '127.0.0.1',
      servername: 'mx.test',
      ca: readFileSync(this.#certificates.authority),
      ...(identity === undefined ? {} : { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) }),
    });
    const heard = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => void chunks.push(chunk)).on('error', reject);
      socket.on('close', () => resolve(Buffer.concat(chunks)));
      socket.write(request(`${head}\nConnection: close`));
    });
    const [answer] = answersIn(heard);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  #identity(shown: Shown): { readonly certificate: string; readonly key: string } | undefined {
    switch (shown) {
      case 'none':
        return undefined;
      case 'other authority':
        return new Certificates(this.#folder, 'Other Root').issue('other', ['client.test']);
      default:
        return this.#certificates.issue('client', ['client.test'], {
          selfSigned: shown === 'stranger',
          expired: shown === 'expired',
        });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.real[Symbol.asyncDispose]();
  }
}

const ASKS = 'Enable_Authentication = true TLS_Client_CA = "@/Test-Root.pem"';

test('TLS_Verified_Peer_Is_Authorized: a client certificate of an authority of ours is as good as a login', async () => {
  await using scene = await Scene.open(`${ASKS} TLS_Verified_Peer_Is_Authorized = true`);
  expect((await scene.ask('good', 'GET /stats/summary')).status).toBe(200);
  expect((await scene.ask('good', 'DELETE /stats/summary')).status).toBe(200);
  for (const shown of ['stranger', 'other authority', 'expired', 'none'] as const)
    expect([shown, (await scene.ask(shown, 'GET /stats/summary')).status]).toEqual([shown, 401]);
});

test('TLS_Verified_Peer_Is_Authorized: under /api/v1 and for a key that is named only the key counts', async () => {
  await using scene = await Scene.open(`${ASKS} TLS_Verified_Peer_Is_Authorized = true`);
  expect((await scene.ask('good', 'GET /api/v1/templates')).status).toBe(401);
  const wrong = `Authorization: ${'0'.repeat(40)}`;
  expect((await scene.ask('good', `GET /stats/summary\n${wrong}`)).status).toBe(401);
  expect((await scene.ask('good', `GET /api/v1/templates\nAuthorization: ${scene.real.key}`)).status).toBe(200);
});

test.each([
  ['without the option', ASKS],
  ['where it is false', `${ASKS} TLS_Verified_Peer_Is_Authorized = false`],
  ['where nobody is asked', `${ASKS} TLS_Verified_Peer_Is_Authorized = true TLS_Verify_Mode = none`],
  ['where no authority is trusted', 'Enable_Authentication = true TLS_Verified_Peer_Is_Authorized = true'],
  ['for an address that is shut out', `${ASKS} TLS_Verified_Peer_Is_Authorized = true Always_Deny = true`],
])('a good certificate opens nothing %s', async (what, listener) => {
  await using scene = await Scene.open(listener);
  expect((await scene.ask('good', 'GET /stats/summary')).status).toBe(what.includes('shut out') ? 403 : 401);
});

test('the option holds for the addresses whose Peer says it', async () => {
  await using scene = await Scene.open(`${ASKS} Peer "127.0.0.0/8" { TLS_Verified_Peer_Is_Authorized = true }`);
  expect((await scene.ask('good', 'GET /stats/summary')).status).toBe(200);
});
