import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { type Millis, millis } from '../../base/index.ts';
import type { TlsContext, TlsIdentity, TlsMaker, TlsMaterial, TlsProtocol, TlsTrouble } from '../tls.ts';
import { type Clock, TlsError } from '../world.ts';
import { issueCertificate } from './certificate.ts';

/** Contexts of OpenSSL. */
export class NodeTls implements TlsMaker {
  readonly #clock: Pick<Clock, 'date'>;

  constructor(clock: Pick<Clock, 'date'>) {
    this.#clock = clock;
  }

  context(material: TlsMaterial): NodeTlsContext {
    return new NodeTlsContext(material);
  }

  selfSigned(name: string): TlsIdentity {
    const now = this.#clock.date();
    return issueCertificate({ commonName: name, names: [name], from: now - 3_600_000, until: now + 365 * 86_400_000 });
  }
}

/** Hears how a handshake of a server ended. */
export interface Shaken {
  secured(socket: TLSSocket): void;
  failed(why: Error): void;
}

export class NodeTlsContext implements TlsContext {
  readonly validity: { readonly from: Millis; readonly until: Millis } | undefined;
  /** For clients, and what a server shows to who asks for nobody. */
  readonly secure: SecureContext;
  readonly #material: TlsMaterial;
  readonly #options: SecureContextOptions;
  readonly #main: X509Certificate | undefined;
  readonly #alternatives: readonly { readonly certificate: X509Certificate; readonly secure: SecureContext }[];
  readonly #waiting = new WeakMap<Socket, Shaken>();
  #server: Server | undefined;

  /** @throws TlsError */
  constructor(material: TlsMaterial) {
    this.#material = material;
    const [first, ...others] = material.identities.map(readIdentity);
    this.validity =
      first === undefined
        ? undefined
        : {
            from: millis(Date.parse(first.certificate.validFrom)),
            until: millis(Date.parse(first.certificate.validTo)),
          };
    this.#options = { ...optionsOf(material), ...shown(material.identities[0]) };
    this.secure = made('other', this.#options);
    this.#alternatives = others.map(({ certificate }, index) => ({
      certificate,
      secure: made('other', { ...this.#options, ...shown(material.identities[index + 1]) }),
    }));
    this.#main = first?.certificate;
  }

  /** Begins the server's side of a handshake. */
  accept(socket: Socket, told: Shaken): void {
    this.#server ??= this.#makeServer();
    this.#waiting.set(socket, told);
    // Documented for connections that come from elsewhere; nobody listens.
    this.#server.emit('connection', socket);
  }

  #makeServer(): Server {
    const { asks } = this.#material;
    const server = createServer({
      ...this.#options,
      requestCert: asks !== 'no',
      // A certificate that is not trusted is a fact to be told, and no reason to hang up.
      rejectUnauthorized: false,
      SNICallback: (name, answer) => answer(null, this.#named(name)),
      // Whoever asked for the handshake has a clock of his own.
      handshakeTimeout: 2_147_483_647,
    });
    server.on('secureConnection', (socket) => {
      const told = this.#hearer(socket);
      if (asks === 'always' && socket.getPeerX509Certificate() === undefined) {
        told?.failed(new Error('the client has shown no certificate'));
        // Never the connection below it: within OpenSSL's own call that would free what is in use.
        socket.destroy();
      } else if (told === undefined) socket.destroy();
      else told.secured(socket);
    });
    server.on('tlsClientError', (why, socket) => this.#hearer(socket)?.failed(why));
    return server;
  }

  /** Node gives no other way from a server's TLS socket to the connection below it; a test watches over it. */
  #hearer(socket: TLSSocket): Shaken | undefined {
    const below = (socket as TLSSocket & { readonly _parent?: Socket })._parent;
    return below === undefined ? undefined : this.#waiting.get(below);
  }

  #named(name: string): SecureContext | undefined {
    const lower = name.toLowerCase();
    if (this.#main?.checkHost(lower, HOST_RULES) !== undefined) return undefined;
    return this.#alternatives.find(({ certificate }) => certificate.checkHost(lower, HOST_RULES) !== undefined)?.secure;
  }
}

const HOST_RULES = { subject: 'default', wildcards: true, partialWildcards: false } as const;

function optionsOf(material: TlsMaterial): SecureContextOptions {
  const { protocols, dh, curves, authorities } = material;
  const versions = VERSIONS.filter((each) => protocols.includes(each));
  const old = protocols.includes('TLSv1') || protocols.includes('TLSv1.1');
  const ciphers = [
    material.suites,
    material.ciphers,
    ...(dh === 'none' ? ['!kDHE'] : []),
    // OpenSSL 3 takes the signatures of TLS 1.0 and 1.1 only on the lowest level.
    ...(old ? ['@SECLEVEL=0'] : []),
  ].join(':');
  made('ciphers', { ciphers });
  if (curves !== undefined) made('curves', { ecdhCurve: curves });
  if (typeof dh !== 'string') checkDh(dh);
  return {
    ciphers,
    minVersion: versions[0] ?? 'TLSv1.2',
    maxVersion: versions.at(-1) ?? 'TLSv1.3',
    secureOptions: gaps(versions) | (material.renegotiation ? 0 : constants.SSL_OP_NO_RENEGOTIATION),
    honorCipherOrder: true,
    ...(curves === undefined ? {} : { ecdhCurve: curves }),
    ...(dh === 'none' ? {} : { dhparam: dh === 'built in' ? 'auto' : Buffer.from(dh) }),
    // An empty list trusts nobody; without one Node would trust the public authorities.
    ...(authorities === 'public' ? {} : { ca: authorities === 'nobody' ? [] : certificatesIn(authorities) }),
  };
}

const VERSIONS: readonly TlsProtocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const OFF: Readonly<Record<TlsProtocol, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** Versions between the lowest and the highest that are not wanted. */
function gaps(versions: readonly TlsProtocol[]): number {
  let off = 0;
  for (const each of VERSIONS) if (!versions.includes(each)) off |= OFF[each];
  return off;
}

function shown(identity: TlsIdentity | undefined): SecureContextOptions {
  return identity === undefined ? {} : { cert: Buffer.from(identity.chain), key: Buffer.from(identity.key) };
}

function readIdentity({ chain, key }: TlsIdentity): { readonly certificate: X509Certificate } {
  const certificate = tried('certificate', () => new X509Certificate(chain));
  const secret: KeyObject = tried('key', () => createPrivateKey({ key: Buffer.from(key), format: 'pem' }));
  if (!certificate.checkPrivateKey(secret))
    throw new TlsError('the key does not belong to the certificate', { trouble: 'mismatch' });
  return { certificate };
}

function certificatesIn(bundle: Uint8Array): readonly string[] & string[] {
  const found = Buffer.from(bundle)
    .toString('latin1')
    .match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g);
  if (found === null) throw new TlsError('there is no certificate in it', { trouble: 'authorities' });
  for (const each of found) tried('authorities', () => new X509Certificate(each));
  return [...found];
}

/** Node takes what is no PEM in silence. */
function checkDh(dh: Uint8Array): void {
  const [, base64] =
    /-----BEGIN (?:X9\.42 )?DH PARAMETERS-----([^-]+)-----END/.exec(Buffer.from(dh).toString('latin1')) ?? [];
  if (base64 === undefined || Buffer.from(base64, 'base64')[0] !== 0x30)
    throw new TlsError('there are no DH parameters in it', { trouble: 'dh' });
  made('dh', { dhparam: Buffer.from(dh) });
}

function made(trouble: TlsTrouble, options: SecureContextOptions): SecureContext {
  return tried(trouble, () => createSecureContext(options));
}

function tried<T>(trouble: TlsTrouble, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new TlsError(reasonOf(cause), { trouble, cause });
  }
}

/** OpenSSL's own words, without its numbers: `error:0A0000B9:SSL routines::no cipher match`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason } = error as Error & { readonly reason?: string };
  return reason ?? error.message.replace(/^(?:.*error:[0-9A-Fa-f]+:[^:]*:[^:]*:)/, '').split(':')[0] ?? error.message;
}
