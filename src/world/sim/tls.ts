import { type Millis, millis } from '../../base/index.ts';
import type { PeerCertificate, TlsContext, TlsFacts, TlsIdentity, TlsMaker, TlsMaterial, TlsProtocol } from '../tls.ts';
import { cipherBits } from '../tls-cipher.ts';
import { TlsError } from '../world.ts';

/** What a simulated certificate says. */
export interface SimCertificate {
  readonly commonName: string;
  readonly names?: readonly string[];
  /** Common name of who signed it; itself when left out. */
  readonly issuer?: string;
  /** Milliseconds since the epoch. */
  readonly from?: number;
  readonly until?: number;
}

/** A certificate and its key as files would hold them; both are text that nobody has encrypted. */
export function simIdentity(certificate: SimCertificate, key = certificate.commonName): TlsIdentity {
  return {
    chain: Buffer.from(`${CERTIFICATE}${JSON.stringify({ ...certificate, key })}\n`),
    key: Buffer.from(`${KEY}${key}\n`),
  };
}

const CERTIFICATE = 'sim certificate ';
const KEY = 'sim key ';
const OLD_CIPHER = 'ECDHE-RSA-AES128-GCM-SHA256';
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1', 'X25519', 'X448']);

type Shown = SimCertificate & { readonly key: string };

/** Contexts without cryptography: who would trust whom, and what both sides speak. */
export class SimTls implements TlsMaker {
  context(material: TlsMaterial): SimTlsContext {
    return new SimTlsContext(material);
  }

  selfSigned(name: string): TlsIdentity {
    return simIdentity({ commonName: name, names: [name] });
  }
}

export class SimTlsContext implements TlsContext {
  readonly material: TlsMaterial;
  readonly certificates: readonly Shown[];
  readonly trusted: ReadonlySet<string>;
  readonly validity: { readonly from: Millis; readonly until: Millis } | undefined;

  constructor(material: TlsMaterial) {
    this.material = material;
    this.certificates = material.identities.map(readIdentity);
    const { authorities, ciphers, curves } = material;
    this.trusted = new Set(
      typeof authorities === 'string' ? [] : certificatesIn(authorities).map((each) => each.commonName),
    );
    if (!/^[A-Z0-9@!+:=_-]+$/i.test(ciphers)) throw new TlsError('no cipher match', { trouble: 'ciphers' });
    const unknown = curves?.split(':').find((each) => !CURVES.has(each));
    if (unknown !== undefined) throw new TlsError('unknown curve', { trouble: 'curves' });
    const [first] = this.certificates;
    this.validity =
      first === undefined
        ? undefined
        : { from: millis(first.from ?? 0), until: millis(first.until ?? Number.MAX_SAFE_INTEGER) };
  }

  /** The certificate that a client is shown who asks for that name. */
  named(name: string | undefined): Shown | undefined {
    return this.certificates.find((each) => name !== undefined && each.names?.includes(name)) ?? this.certificates[0];
  }
}

/** What both ends learn, or why there is nothing to learn. */
export type SimHandshake = { readonly client: TlsFacts; readonly server: TlsFacts } | { readonly failure: string };

export function handshake(
  client: SimTlsContext,
  server: SimTlsContext,
  serverName: string | undefined,
  date: Millis,
): SimHandshake {
  const protocol = [...PROTOCOLS]
    .reverse()
    .find((each) => client.material.protocols.includes(each) && server.material.protocols.includes(each));
  if (protocol === undefined) return { failure: 'unsupported protocol' };
  const name =
    protocol === 'TLSv1.3'
      ? common(server.material.suites, client.material.suites)
      : server.material.ciphers === 'DEFAULT' || client.material.ciphers === 'DEFAULT'
        ? OLD_CIPHER
        : common(server.material.ciphers, client.material.ciphers);
  const shown = server.named(serverName);
  if (name === undefined || shown === undefined) return { failure: 'no shared cipher' };
  const { asks } = server.material;
  const given = asks === 'no' ? undefined : client.certificates[0];
  if (asks === 'always' && given === undefined) return { failure: 'the client has shown no certificate' };
  const cipher = { name, ...cipherBits(name) };
  return {
    client: { protocol, cipher, serverName, peer: seen(shown, client.trusted, date) },
    server: { protocol, cipher, serverName, peer: given && seen(given, server.trusted, date) },
  };
}

const PROTOCOLS: readonly TlsProtocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

const common = (one: string, other: string): string | undefined =>
  one.split(':').find((each) => other.split(':').includes(each));

function seen(certificate: Shown, trusted: ReadonlySet<string>, date: Millis): PeerCertificate {
  const issuer = certificate.issuer ?? certificate.commonName;
  return {
    subject: `/CN=${certificate.commonName}`,
    issuer: `/CN=${issuer}`,
    commonName: certificate.commonName,
    issuerCommonName: issuer,
    names: certificate.names ?? [],
    addresses: [],
    der: Buffer.from(JSON.stringify(certificate)),
    distrust: distrust(certificate, issuer, trusted, date),
  };
}

function distrust(of: Shown, issuer: string, trusted: ReadonlySet<string>, date: Millis): string | undefined {
  if (!trusted.has(issuer))
    return of.issuer === undefined ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  if (date > (of.until ?? Number.MAX_SAFE_INTEGER)) return 'CERT_HAS_EXPIRED';
  return date < (of.from ?? 0) ? 'CERT_NOT_YET_VALID' : undefined;
}

function readIdentity({ chain, key }: TlsIdentity): Shown {
  const [certificate] = linesOf(chain, CERTIFICATE);
  if (certificate === undefined) throw new TlsError('no start line', { trouble: 'certificate' });
  const [secret] = linesOf(key, KEY);
  if (secret === undefined) throw new TlsError('no start line', { trouble: 'key' });
  const shown = JSON.parse(certificate) as Shown;
  if (shown.key !== secret) throw new TlsError('the key does not belong to the certificate', { trouble: 'mismatch' });
  return shown;
}

function certificatesIn(bundle: Uint8Array): readonly Shown[] {
  const found = linesOf(bundle, CERTIFICATE).map((each) => JSON.parse(each) as Shown);
  if (found.length === 0) throw new TlsError('there is no certificate in it', { trouble: 'authorities' });
  return found;
}

function linesOf(bytes: Uint8Array, prefix: string): readonly string[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}
