import { addressDomain, type Endpoint, endpointText, parseAddress, parseDomain, unmapped } from '../base/index.ts';
import { holdsFor, type Securing, TlsError, type TlsFacts, type TlsMaker, type TlsTrouble } from '../world/index.ts';

/** TLS from the first byte, as a listener with `Use_SSL` wants it. Certificates and keys are PEM. */
export interface SenderTls {
  /** Who may sign the server's certificate, as a bundle; default: the authorities that come with Node. */
  readonly ca?: string | Uint8Array;
  /** Whom the certificate has to name, and who is asked for (SNI); default: the host that is connected to. */
  readonly servername?: string;
  /** `false` believes anybody. */
  readonly rejectUnauthorized?: boolean;
  /** A certificate of the client, with its chain, for a server that asks; the key may stand in the same text. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

/** What a connection has to do before anything is said. */
export interface Security {
  readonly how: Securing;
  /** @returns why this is not who it should be */
  distrust(facts: TlsFacts): string | undefined;
}

/** @throws RangeError with what is wrong in `wish` */
export function securityFor(maker: Pick<TlsMaker, 'context'>, at: Endpoint, wish: SenderTls): Security {
  const { ca, cert, key = cert, rejectUnauthorized = true } = wish;
  const host = wish.servername ?? (at.kind === 'tcp' ? at.ip : '');
  if (host === '' && rejectUnauthorized)
    throw new RangeError('tls.servername is needed: the path of a socket names nobody whom a certificate could name');
  if (cert === undefined && key !== undefined) throw new RangeError('tls.key is of no use without tls.cert');
  const address = parseAddress(host);
  const context = made(() =>
    maker.context({
      ...MODERN,
      identities: cert === undefined || key === undefined ? [] : [{ chain: bytesOf(cert), key: bytesOf(key) }],
      authorities: ca === undefined ? 'public' : bytesOf(ca),
    }),
  );
  const named = address === undefined ? (parseDomain(host) ?? host) : addressDomain(address);
  return {
    // RFC 6066 §3: a literal address is no server name.
    how: { as: 'client', context, serverName: address === undefined && host !== '' ? named : undefined },
    distrust: (facts) => (rejectUnauthorized ? troubleWith(facts, named, host) : undefined),
  };
}

/**
 * A password or a key that is sent in clear belongs to whoever listens on the way. It is refused before anything is sent,
 * also where the server might not have asked for it: that is not ours to know beforehand.
 *
 * @throws RangeError
 */
export function assertUnheard(at: Endpoint): void {
  if (!mayBeHeard(at)) return;
  throw new RangeError(
    `the login would go to ${endpointText(at)} in clear: use tls, or say insecureLogin where nobody else can listen`,
  );
}

/** Whether there is a way to that place on which others could listen. */
export const mayBeHeard = (at: Endpoint): boolean => at.kind === 'tcp' && !isLoopback(at.ip);

/** RFC 6761 §6.3: names below `localhost` lead nowhere else. */
function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  if (address === undefined) return /^(?:.+\.)?localhost\.?$/i.test(host);
  return address === '::1' || unmapped(address).startsWith('127.');
}

function troubleWith({ peer }: TlsFacts, named: string, host: string): string | undefined {
  if (peer === undefined) return 'the server has shown no certificate';
  if (peer.distrust !== undefined)
    return `the certificate of the server is not trusted: ${WORDS[peer.distrust] ?? peer.distrust} (${peer.distrust})`;
  if (holdsFor(peer, [named])) return undefined;
  const names = [...peer.names, ...peer.addresses];
  return `the certificate of the server is not for ${host}, but for ${names.join(', ') || peer.commonName || 'nobody'}`;
}

/** OpenSSL's names of what is usual. */
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'its time has not come',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it has signed itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known',
};

/** Every server of ECStream is one of ours, and knows these. */
const MODERN = {
  ciphers: 'DEFAULT',
  suites: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
  curves: undefined,
  protocols: ['TLSv1.2', 'TLSv1.3'],
  dh: 'built in',
  asks: 'no',
  renegotiation: false,
} as const;

const bytesOf = (pem: string | Uint8Array): Uint8Array => (typeof pem === 'string' ? Buffer.from(pem) : pem);

function made<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    throw new RangeError(`${BLAMED[cause.trouble] ?? 'tls'}: ${cause.message}`, { cause });
  }
}

const BLAMED: Partial<Record<TlsTrouble, string>> = {
  authorities: 'tls.ca',
  certificate: 'tls.cert',
  key: 'tls.key',
  mismatch: 'tls.key',
};
