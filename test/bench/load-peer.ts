import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { textOf } from '../../bench/load/session.ts';

export interface PeerOptions {
  readonly certificate?: { readonly key: string; readonly cert: string } | undefined;
  readonly implicit?: boolean;
  readonly user?: string;
  readonly password?: string;
}

const END = textOf(1).subarray(-5).toString('latin1');

/** A mail server of few words, with TLS and AUTH, to try the load generator on. */
export class LoadPeer implements AsyncDisposable {
  port = 0;
  readonly bodies: string[] = [];
  readonly envelopes: string[] = [];
  readonly authenticated: string[] = [];
  readonly remotes = new Set<string>();
  readonly commands: string[] = [];
  encrypted = 0;
  resumed = 0;
  connections = 0;
  readonly #options: PeerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: PeerOptions) {
    this.#options = options;
    const { certificate, implicit } = options;
    this.#server =
      implicit === true && certificate !== undefined
        ? createTlsServer({ ...certificate, minVersion: 'TLSv1.2' }, (socket) => {
            this.#secured(socket);
            this.#converse(socket);
          })
        : createServer((socket) => this.#converse(socket));
  }

  static async start(options: PeerOptions = {}): Promise<LoadPeer> {
    const peer = new LoadPeer(options);
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    const at = peer.#server.address();
    peer.port = typeof at === 'object' && at !== null ? at.port : 0;
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #secured(socket: TLSSocket): void {
    this.encrypted += 1;
    if (socket.isSessionReused()) this.resumed += 1;
  }

  #converse(socket: Socket, banner = true): void {
    this.#sockets.add(socket);
    if (banner) this.connections += 1;
    this.remotes.add(socket.remoteAddress ?? '');
    let held = '';
    let inBody = false;
    let login: ((line: string) => string) | undefined;
    const say = (line: string): void => void (socket.writable && socket.write(`${line}\r\n`));
    if (banner) say('220 peer.test');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      held += chunk.toString('latin1');
      for (;;) {
        const end = inBody ? held.indexOf(END) : held.indexOf('\r\n');
        if (end === -1) return;
        const line = held.slice(0, end);
        held = held.slice(end + (inBody ? 5 : 2));
        if (inBody) {
          inBody = false;
          this.bodies.push(line);
          say('250 2.0.0 taken');
          continue;
        }
        this.commands.push(line);
        if (login !== undefined) {
          const said = login(line);
          if (!said.startsWith('334')) login = undefined;
          say(said);
          continue;
        }
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO') say('250-peer.test\r\n250-PIPELINING\r\n250 AUTH PLAIN');
        else if (verb === 'MAIL') {
          this.envelopes.push(line.slice(10));
          say(line.includes('<refused') ? '550 5.7.1 not you' : '250 ok');
        } else if (verb === 'RCPT') {
          this.envelopes.push(line.slice(8));
          say(line.includes('<no') ? '550 5.1.1 nobody' : '250 ok');
        } else if (verb === 'DATA') {
          const none =
            /(?:refused|<no)/.test(this.envelopes.at(-1) ?? '') || /refused/.test(this.envelopes.at(-2) ?? '');
          inBody = !none;
          say(none ? '503 5.5.1 no recipients' : '354 go');
        } else if (verb === 'AUTH') {
          const [, mechanism = '', initial] = line.split(' ');
          login = this.#login(mechanism);
          const said =
            initial === undefined ? (mechanism === 'LOGIN' ? '334 VXNlcm5hbWU6' : login('')) : login(initial);
          if (!said.startsWith('334')) login = undefined;
          say(said);
        } else if (line.toUpperCase() === 'STARTTLS' && this.#options.certificate !== undefined) {
          say('220 go');
          socket.removeAllListeners('data');
          const secure = new TLSSocket(socket, {
            isServer: true,
            secureContext: createSecureContext(this.#options.certificate),
          });
          secure.on('secure', () => this.#secured(secure));
          this.#converse(secure, false);
          return;
        } else if (verb === 'QUIT') {
          say('221 bye');
          socket.end();
          return;
        } else say('250 ok');
      }
    });
  }

  /** @returns what is said to each line of an AUTH */
  #login(mechanism: string): (line: string) => string {
    const { user = 'user', password = 'password' } = this.#options;
    const text = (line: string): string => Buffer.from(line, 'base64').toString('utf8');
    const base64 = (plain: string): string => Buffer.from(plain, 'utf8').toString('base64');
    const judged = (right: boolean): string => {
      if (right) this.authenticated.push(mechanism);
      return right ? '235 2.7.0 yes' : '535 5.7.8 no';
    };
    let step = 0;
    if (mechanism === 'PLAIN') return (line) => judged(text(line) === `\0${user}\0${password}`);
    if (mechanism === 'LOGIN') return (line) => (step++ === 0 ? '334 UGFzc3dvcmQ6' : judged(text(line) === password));
    if (mechanism === 'CRAM-MD5')
      return (line) =>
        step++ === 0
          ? `334 ${base64('<1.2@peer.test>')}`
          : judged(text(line) === `${user} ${createHmac('md5', password).update('<1.2@peer.test>').digest('hex')}`);
    const hash = mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256';
    const hmac = (key: Buffer, message: string): Buffer => createHmac(hash, key).update(message).digest();
    let bare = '';
    let first = '';
    return (line) => {
      step += 1;
      if (step === 1) {
        bare = text(line).slice(3);
        const nonce = /r=([^,]+)/.exec(bare)?.[1] ?? '';
        first = `r=${nonce}server,s=${base64('salt')},i=4096`;
        return `334 ${base64(first)}`;
      }
      if (step === 3) return judged(line === '');
      const [, without = '', proof = ''] = /^(.*),p=(.*)$/.exec(text(line)) ?? [];
      const salted = pbkdf2Sync(password, 'salt', 4096, hash === 'sha1' ? 20 : 32, hash);
      const message = `${bare},${first},${without}`;
      const clientKey = hmac(salted, 'Client Key');
      const signature = hmac(createHash(hash).update(clientKey).digest(), message);
      const wanted = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0))).toString('base64');
      if (proof !== wanted) return judged(false);
      return `334 ${base64(`v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`)}`;
    };
  }
}
