import type { TlsFacts } from '../world/index.ts';

/** What policy and logs are told of a client's TLS, under Momentum's names (manual: predefined connection context). */
export function tlsVariables({ cipher, peer }: TlsFacts): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {
    tls: 'on',
    tls_cipher: cipher.name,
    tls_cipher_algbits: String(cipher.bits),
    tls_cipher_usebits: String(cipher.secretBits),
  };
  if (peer !== undefined) {
    variables.tls_client_cert_subject = peer.subject;
    variables.tls_client_cert_subject_cn = peer.commonName;
    variables.tls_client_cert_issuer = peer.issuer;
    variables.tls_client_cert_issuer_cn = peer.issuerCommonName;
    if (peer.distrust === undefined) variables.tls_client_verified = 'yes';
  }
  return variables;
}
