import { text, ValueError, type ValueType } from '../config/index.ts';
import type { TlsProtocol } from '../world/index.ts';

const TOKENS: ReadonlyMap<string, TlsProtocol | undefined> = new Map([
  // No OpenSSL of ours speaks them: accepted, and without effect.
  ['sslv2', undefined],
  ['sslv3', undefined],
  ['tlsv1.0', 'TLSv1'],
  ['tlsv1', 'TLSv1'],
  ['tlsv1.1', 'TLSv1.1'],
  ['tlsv1.2', 'TLSv1.2'],
  ['tlsv1.3', 'TLSv1.3'],
]);
const VERSIONS: readonly TlsProtocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
/** What `ALL` stands for: RFC 8996 has done away with what is older. */
const MODERN: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.3'];

/** `+ALL:-TLSv1.3`. 1.0 and 1.1 are spoken only when they are named; what begins with a minus is taken from ALL. */
export const protocolList: ValueType<readonly TlsProtocol[]> = {
  title: 'protocols as +ALL:-TLSv1.3, out of ALL, SSLv2, SSLv3, TLSv1.0, TLSv1.1, TLSv1.2, TLSv1.3',
  read(raw) {
    const parts = text.read(raw).split(':');
    const wanted = new Set<TlsProtocol>(parts[0]?.startsWith('-') === true ? MODERN : []);
    for (const part of parts) {
      const [, sign = '', name = ''] = /^\s*([+-]?)\s*(\S+)\s*$/.exec(part) ?? [];
      const lower = name.toLowerCase();
      if (lower !== 'all' && !TOKENS.has(lower)) throw new ValueError(`${protocolList.title}; there is no '${part}'`);
      const protocol = TOKENS.get(lower);
      const meant = lower === 'all' ? (sign === '-' ? VERSIONS : MODERN) : protocol === undefined ? [] : [protocol];
      for (const each of meant)
        if (sign === '-') wanted.delete(each);
        else wanted.add(each);
    }
    if (wanted.size === 0) throw new ValueError(`${protocolList.title}; none would be left`);
    return VERSIONS.filter((each) => wanted.has(each));
  },
};

const GNUTLS =
  /^(?:NORMAL|PERFORMANCE|SECURE(?:128|192|256)|SUITEB(?:128|192)|PFS|LEGACY|SYSTEM)(?:$|:)|[:+!-](?:VERS|SIGN|CURVE|GROUP|MAC|COMP|CTYPE)-|:%/i;

/** OpenSSL's list for TLS 1.2 and below. Whether it leads to any cipher is for OpenSSL to say. */
export const cipherList: ValueType<string> = {
  title: 'an OpenSSL cipher list',
  read(raw) {
    const list = text.read(raw);
    if (GNUTLS.test(list))
      throw new ValueError(
        `${cipherList.title}, not a priority string of GnuTLS (TLS_Ciphers = "DEFAULT" is OpenSSL's)`,
      );
    if (!/^[A-Za-z0-9@!+:=_, -]+$/.test(list)) throw new ValueError(cipherList.title);
    if (/(?:^|[:, ])TLS_/.test(list))
      throw new ValueError(`${cipherList.title}; suites of TLS 1.3 stand in TLSv13_Ciphersuites`);
    return list.replace(/[, ]+/g, ':');
  },
};

const SUITES = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
  'TLS_AES_128_CCM_SHA256',
];

export const suiteList: ValueType<string> = {
  title: `a colon-separated list out of ${SUITES.join(', ')}`,
  read(raw) {
    const list = text.read(raw);
    const unknown = list.split(':').find((each) => !SUITES.includes(each));
    if (unknown !== undefined) throw new ValueError(`${suiteList.title}; there is no '${unknown}'`);
    return list;
  },
};

/** Which curves there are, OpenSSL knows: the check of the whole configuration asks it. */
export const curveList: ValueType<string> = {
  title: 'curves or groups, parted by colons, without blanks: an invalid curve or group list',
  read(raw) {
    const list = text.read(raw);
    if (!/^[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*$/.test(list)) throw new ValueError(curveList.title);
    return list;
  },
};

/** `require` and `none` mean something; all other words, as being unset, verify what is shown (manual: tls_verify_mode). */
export const verifyMode: ValueType<'none' | 'require' | 'optional'> = {
  title: 'none or require',
  read(raw) {
    const word = text.read(raw).toLowerCase();
    return word === 'none' || word === 'require' ? word : 'optional';
  },
};

/** A certificate with its key in one file, or in two: `CERTIFICATE|KEY`. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export function certificateFiles(written: string): CertificateFiles {
  const [certificate = '', key] = written.split('|').map((part) => part.trim());
  return { certificate, key: key ?? certificate };
}
