import {
  arrayOf,
  boolean,
  enumeration,
  option,
  optional,
  ownOption,
  path,
  text,
  ValueError,
  type ValueType,
} from '../config/index.ts';
import {
  type CertificateFiles,
  certificateFiles,
  cipherList,
  curveList,
  protocolList,
  suiteList,
  verifyMode,
} from './value-types.ts';

const engine: ValueType<'openssl' | 'gnutls'> = {
  ...enumeration('openssl', 'gnutls'),
  unserved: (raw) => (text.read(raw).toLowerCase() === 'gnutls' ? ['the value gnutls'] : []),
};

const injectionPolicy: ValueType<'reject' | 'ignore'> = {
  title: 'one of reject, ignore, allow',
  read(raw) {
    const word = enumeration('reject', 'ignore', 'allow').read(raw);
    // To obey what came in clear as if it were encrypted is the hole itself (CVE-2011-0411).
    return word === 'allow' ? 'ignore' : word;
  },
  unserved: (raw) => (text.read(raw).toLowerCase() === 'allow' ? ['the value allow'] : []),
};

const oneCertificate: ValueType<CertificateFiles> = {
  title: 'a PEM file with a certificate and its key, or CERTIFICATE|KEY',
  read(raw) {
    const files = text.read(raw);
    if (!/^[^|]*[^|\s][^|]*(?:\|[^|]*[^|\s][^|]*)?$/.test(files)) throw new ValueError(oneCertificate.title);
    return certificateFiles(files);
  },
};

/** What a socket with Use_SSL shows and asks, consoles' too. */
const ofEveryListener = { ofEveryListener: true };

export const tlsCertificate = option('tls_certificate', optional(path), ofEveryListener);
export const tlsKey = option('tls_key', optional(path), ofEveryListener);
export const tlsClientCa = option('tls_client_ca', optional(path), ofEveryListener);
export const tlsCa = option('tls_ca', optional(path));
export const tlsCiphers = option('tls_ciphers', cipherList, { initial: 'DEFAULT', ...ofEveryListener });
export const tlsv13Ciphersuites = option('tlsv13_ciphersuites', suiteList, ofEveryListener);
export const tlsProtocols = option('tls_protocols', protocolList, ofEveryListener);
export const tlsEcCurveNames = option('tls_ec_curve_names', optional(curveList));
export const tlsDhparamsFile = option('tls_dhparams_file', optional(path));
export const tlsEnableDheCiphers = option('tls_enable_dhe_ciphers', boolean);
export const tlsEngine = option('tls_engine', engine);
export const tlsVerifyMode = option('tls_verify_mode', verifyMode, { initial: 'optional', ...ofEveryListener });
export const tlsAllowRenegotiation = option('tls_allow_renegotiation', boolean, ofEveryListener);
export const tlsVerifiedPeerCanRelay = option('tls_verified_peer_can_relay', boolean);
export const useSsl = option('use_ssl', boolean, ofEveryListener);
export const starttlsInjectionPolicy = option('starttls_injection_policy', injectionPolicy);
export const tls = option('tls', enumeration('no', 'ifavailable', 'required'));
export const tlsVerify = option('tls_verify', enumeration('no', 'ca', 'host', 'optional'));
export const tlsIfavailableFallback = option('tls_ifavailable_fallback', boolean);
export const tlsFallbackAlwaysNewConnection = option('tls_fallback_always_new_connection', boolean);
export const tlsSniCertificates = ownOption('tls_sni_certificates', arrayOf(oneCertificate), {
  scopes: ['esmtp_listener', 'http_listener', 'listen', 'peer', 'pathway', 'pathway_group'],
  initial: [],
  ...ofEveryListener,
  summary: 'more certificates, shown to clients that ask for one of their names (SNI)',
});

export const tlsOptions = [
  tlsCertificate,
  tlsKey,
  tlsClientCa,
  tlsCa,
  tlsCiphers,
  tlsv13Ciphersuites,
  tlsProtocols,
  tlsEcCurveNames,
  tlsDhparamsFile,
  tlsEnableDheCiphers,
  tlsEngine,
  tlsVerifyMode,
  tlsAllowRenegotiation,
  tlsVerifiedPeerCanRelay,
  useSsl,
  starttlsInjectionPolicy,
  tls,
  tlsVerify,
  tlsIfavailableFallback,
  tlsFallbackAlwaysNewConnection,
  tlsSniCertificates,
];
