import { expect, test } from 'vitest';
import { holdsFor } from './certificate-names.ts';
import type { PeerCertificate } from './tls.ts';

const certificate = (
  names: readonly string[],
  commonName = '',
  addresses: readonly string[] = [],
): PeerCertificate => ({
  subject: '',
  issuer: '',
  commonName,
  issuerCommonName: '',
  names,
  addresses,
  der: new Uint8Array(),
  distrust: undefined,
});

test.each<[string, boolean, PeerCertificate, readonly string[]]>([
  ['an alternative name', true, certificate(['mx.test']), ['mx.test']],
  ['in other letters', true, certificate(['MX.Test']), ['mx.test']],
  ['the common name', true, certificate([], 'mx.test'), ['mx.test']],
  ['the common name beside alternative ones', true, certificate(['a.test'], 'mx.test'), ['mx.test']],
  ['the second of the hosts', true, certificate(['mx.test']), ['dst.test', 'mx.test']],
  ['another name', false, certificate(['mx.test.evil.test'], 'x'), ['mx.test']],
  ['a name that ends alike', false, certificate(['evilmx.test']), ['mx.test']],
  ['a wildcard for one label', true, certificate(['*.dst.test']), ['mx.dst.test']],
  ['a wildcard for two labels', false, certificate(['*.dst.test']), ['a.mx.dst.test']],
  ['a wildcard for none', false, certificate(['*.dst.test']), ['dst.test']],
  ['a wildcard in the common name', true, certificate([], '*.dst.test'), ['mx.dst.test']],
  ['a wildcard over a whole top-level domain', false, certificate(['*.test']), ['mx.test']],
  ['a part of a label', false, certificate(['m*.dst.test']), ['mx.dst.test']],
  ['a star alone', false, certificate(['*']), ['mx.test']],
  ['a star further on', false, certificate(['mx.*.test']), ['mx.dst.test']],
  ['a Unicode host and A-labels', true, certificate(['mx.xn--bcher-kva.test']), ['mx.bücher.test']],
  ['a Unicode name and A-labels', true, certificate([], 'mx.bücher.test'), ['mx.xn--bcher-kva.test']],
  ['a wildcard over A-labels', true, certificate(['*.xn--bcher-kva.test']), ['mx.bücher.test']],
  ['an address', true, certificate([], '', ['192.0.2.1']), ['192.0.2.1']],
  ['an address as a literal', true, certificate([], '', ['2001:DB8:0:0:0:0:0:1']), ['[IPv6:2001:db8::1]']],
  ['an address in the common name', false, certificate([], '192.0.2.1'), ['192.0.2.1']],
  ['nothing at all', false, certificate([]), ['mx.test']],
  ['no hosts', false, certificate(['mx.test']), []],
])('%s: %s', (_, holds, peer, hosts) => {
  expect(holdsFor(peer, hosts)).toBe(holds);
});
