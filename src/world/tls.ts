import type { Millis } from '../base/index.ts';

export type TlsProtocol = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** A certificate with the chain that leads to its authority, and its private key; both in PEM. */
export interface TlsIdentity {
  readonly chain: Uint8Array;
  readonly key: Uint8Array;
}

/** All that a context is made of: equal material gives contexts that behave alike. */
export interface TlsMaterial {
  /** The first is shown unless the client asks by name for another one (SNI, RFC 6066). A client has one or none. */
  readonly identities: readonly TlsIdentity[];
  /** PEM bundle of those whose signature is trusted; `public`: the authorities that come with the runtime. */
  readonly authorities: Uint8Array | 'public' | 'nobody';
  /** OpenSSL's list for TLS 1.2 and below. */
  readonly ciphers: string;
  /** Of TLS 1.3, parted by colons. */
  readonly suites: string;
  /** Groups for the key exchange, parted by colons; undefined leaves them to OpenSSL. */
  readonly curves: string | undefined;
  /** At least one. */
  readonly protocols: readonly TlsProtocol[];
  /** Finite-field Diffie-Hellman, which only TLS 1.2 and below have: PEM parameters, OpenSSL's own, or none. */
  readonly dh: Uint8Array | 'built in' | 'none';
  /** A server asks its clients for a certificate; `always`: without one the handshake fails. */
  readonly asks: 'no' | 'optional' | 'always';
  /** A client may renegotiate (TLS 1.2 and below). */
  readonly renegotiation: boolean;
}

/** Material made ready. Whoever has one may use it for as many connections as he likes. */
export interface TlsContext {
  /** The default certificate's time; undefined without one. */
  readonly validity: { readonly from: Millis; readonly until: Millis } | undefined;
}

/** How a pipe is made secure. */
export type Securing = {
  readonly context: TlsContext;
  /** What has come already and belongs to the handshake, as a hello behind a PROXY header. */
  readonly received?: Uint8Array;
} & (
  | { readonly as: 'server' }
  | {
      readonly as: 'client';
      /** Asked for by name (SNI); undefined for an address. */
      readonly serverName: string | undefined;
    }
);

/** What a handshake has brought. */
export interface TlsFacts {
  readonly protocol: TlsProtocol;
  readonly cipher: {
    /** As OpenSSL names it: `ECDHE-RSA-AES128-GCM-SHA256`, `TLS_AES_256_GCM_SHA384`. */
    readonly name: string;
    /** Of the algorithm's key, and those of them that are secret: both 256 for AES-256. */
    readonly bits: number;
    readonly secretBits: number;
  };
  /** The name that was asked for (SNI). */
  readonly serverName: string | undefined;
  /** The certificate of the other end; undefined when it showed none. */
  readonly peer: PeerCertificate | undefined;
}

export interface PeerCertificate {
  /** OpenSSL's one-line form: `/C=DE/O=Example/CN=mx.example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Empty when there is none. */
  readonly commonName: string;
  readonly issuerCommonName: string;
  /** Alternative names: host names as written, a `*` included, and addresses. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  /** The certificate itself, DER: for whoever compares it with a record of its own. */
  readonly der: Uint8Array;
  /** Why its chain is not trusted, in OpenSSL's words (`CERT_HAS_EXPIRED`); undefined: it is. */
  readonly distrust: string | undefined;
}

/** Makes contexts, and certificates to try things with. */
export interface TlsMaker {
  /** @throws TlsError with what is wrong: a certificate that is none, a key that belongs to another one, no cipher … */
  context(material: TlsMaterial): TlsContext;
  /** A new certificate that nobody but itself has signed, for one year, with its key; both in PEM. */
  selfSigned(name: string): TlsIdentity;
}

/** Why a context cannot be made. */
export type TlsTrouble = 'certificate' | 'key' | 'mismatch' | 'authorities' | 'ciphers' | 'curves' | 'dh' | 'other';
