import type { Option } from '../config/index.ts';
import type { TlsMaterial } from '../world/index.ts';
import {
  tlsAllowRenegotiation,
  tlsCa,
  tlsCertificate,
  tlsCiphers,
  tlsClientCa,
  tlsDhparamsFile,
  tlsEcCurveNames,
  tlsEnableDheCiphers,
  tlsKey,
  tlsProtocols,
  tlsSniCertificates,
  tlsVerifyMode,
  tlsv13Ciphersuites,
} from './options.ts';
import type { CertificateFiles } from './value-types.ts';

/** Whatever has values: a View, or a stanza that is being checked. */
export interface Values {
  get<T>(option: Option<T>): T;
}

/** What a context is to be made of, with files still as paths: equal plans have one key and share a context. */
export interface TlsPlan {
  readonly key: string;
  readonly side: 'server' | 'client';
  readonly certificates: readonly CertificateFiles[];
  readonly authorities: string | 'public' | 'nobody';
  readonly dh: string | 'built in' | 'none';
  readonly rest: Pick<TlsMaterial, 'ciphers' | 'suites' | 'curves' | 'protocols' | 'asks' | 'renegotiation'>;
  /** All files, each once. */
  readonly files: readonly string[];
}

/** @returns undefined when there is no certificate: a server without one has no TLS */
export function serverPlan(values: Values): TlsPlan | undefined {
  const certificate = ownCertificate(values);
  if (certificate === undefined) return undefined;
  const mode = values.get(tlsVerifyMode);
  return plan(values, {
    side: 'server',
    certificates: [certificate, ...values.get(tlsSniCertificates)],
    // Without a list of our own nobody is trusted: a certificate that anybody can have must not open a relay.
    authorities: fileOf(values.get(tlsClientCa)) ?? 'nobody',
    asks: mode === 'none' ? 'no' : mode === 'require' ? 'always' : 'optional',
    renegotiation: values.get(tlsAllowRenegotiation),
  });
}

export function clientPlan(values: Values): TlsPlan {
  const certificate = ownCertificate(values);
  return plan(values, {
    side: 'client',
    certificates: certificate === undefined ? [] : [certificate],
    authorities: fileOf(values.get(tlsCa)) ?? 'public',
    asks: 'no',
    renegotiation: false,
  });
}

function plan(
  values: Values,
  of: Pick<TlsPlan, 'side' | 'certificates' | 'authorities'> & Pick<TlsMaterial, 'asks' | 'renegotiation'>,
): TlsPlan {
  const rest = {
    ciphers: values.get(tlsCiphers),
    suites: values.get(tlsv13Ciphersuites),
    curves: values.get(tlsEcCurveNames),
    protocols: values.get(tlsProtocols),
    asks: of.asks,
    renegotiation: of.renegotiation,
  };
  const dh = values.get(tlsEnableDheCiphers) ? (fileOf(values.get(tlsDhparamsFile)) ?? 'built in') : 'none';
  const { side, certificates, authorities } = of;
  const files = new Set(certificates.flatMap(({ certificate, key }) => [certificate, key]));
  if (authorities !== 'public' && authorities !== 'nobody') files.add(authorities);
  if (dh !== 'built in' && dh !== 'none') files.add(dh);
  const key = JSON.stringify([side, certificates, authorities, dh, rest]);
  return { key, side, certificates, authorities, dh, rest, files: [...files] };
}

/** `none` says that there is to be none, although an outer stanza has one (manual: tls_certificate). */
const fileOf = (value: string | undefined): string | undefined =>
  value === undefined || value.toLowerCase() === 'none' ? undefined : value;

function ownCertificate(values: Values): CertificateFiles | undefined {
  const certificate = fileOf(values.get(tlsCertificate));
  return certificate === undefined ? undefined : { certificate, key: fileOf(values.get(tlsKey)) ?? certificate };
}
