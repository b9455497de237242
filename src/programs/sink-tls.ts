import { sinkDefaults } from '../sink/index.ts';
import { DiskError, type TlsContext, TlsError, type TlsIdentity, type World } from '../world/index.ts';

export interface SinkTlsWords {
  readonly tls?: boolean;
  readonly certificate?: string;
  readonly key?: string;
  readonly hostname?: string;
}

/** @returns undefined when none is wanted; a sentence when it cannot be had */
export async function sinkTls(world: World, asked: SinkTlsWords): Promise<TlsContext | undefined | string> {
  const { certificate, key } = asked;
  if (certificate === undefined && key !== undefined) return '--key wants a --certificate';
  if (certificate === undefined && asked.tls !== true) return undefined;
  try {
    return contextOf(
      world,
      certificate === undefined
        ? world.tls.selfSigned(asked.hostname ?? sinkDefaults.hostName)
        : { chain: await world.disk.read(certificate), key: await world.disk.read(key ?? certificate) },
    );
  } catch (error) {
    if (error instanceof DiskError) return `cannot read ${error.path}: ${error.message}`;
    if (error instanceof TlsError) return `${key ?? certificate ?? 'the certificate'} cannot be used: ${error.message}`;
    throw error;
  }
}

const contextOf = (world: World, identity: TlsIdentity): TlsContext =>
  world.tls.context({
    identities: [identity],
    authorities: 'nobody',
    ciphers: 'DEFAULT',
    suites: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
    curves: undefined,
    protocols: ['TLSv1.2', 'TLSv1.3'],
    dh: 'built in',
    asks: 'optional',
    renegotiation: false,
  });
