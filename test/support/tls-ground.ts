import type { Endpoint } from '../../src/base/index.ts';
import type { ConnectHost, NetworkError, TlsFacts, TlsIdentity, TlsMaterial, World } from '../../src/world/index.ts';
import { issueCertificate, nodeWorld } from '../../src/world/node/index.ts';
import { simIdentity, simWorld } from '../../src/world/sim/index.ts';

const SUITES = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
export const plain: TlsMaterial = {
  identities: [],
  authorities: 'nobody',
  ciphers: 'DEFAULT',
  suites: SUITES,
  curves: undefined,
  protocols: ['TLSv1.2', 'TLSv1.3'],
  dh: 'built in',
  asks: 'no',
  renegotiation: false,
};

export interface Order {
  readonly commonName: string;
  readonly names?: readonly string[];
  readonly signed?: boolean;
  readonly until?: number;
}

/** What a test needs of a world: certificates, and to wait. */
export interface Ground {
  readonly world: World;
  readonly at: Endpoint;
  /** Trusted by who has it as an authority; signs what is `signed`. */
  readonly authority: Uint8Array;
  issue(order: Order): TlsIdentity;
  wait(until: () => boolean): Promise<void>;
}

export const DAY = 86_400_000;

export function nodeGround(): Ground {
  const world = nodeWorld();
  const now = Date.now();
  const root = issueCertificate({ commonName: 'Root', from: now - DAY, until: now + DAY, authority: true });
  return {
    world,
    at: { kind: 'tcp', ip: '127.0.0.1', port: 0 },
    authority: root.chain,
    issue: ({ commonName, names, signed = true, until = now + DAY }) =>
      issueCertificate({
        commonName,
        ...(names === undefined ? {} : { names }),
        from: now - 2 * DAY,
        until,
        ...(signed ? { issuer: root } : {}),
      }),
    async wait(until) {
      while (!until()) await new Promise((go) => setImmediate(go));
    },
  };
}

export function simGround(): Ground {
  const world = simWorld(3, { oddChunks: true });
  return {
    world,
    at: { kind: 'tcp', ip: '192.0.2.1', port: 25 },
    authority: simIdentity({ commonName: 'Root' }).chain,
    issue: ({ commonName, names, signed = true, until }) =>
      simIdentity({
        commonName,
        ...(names === undefined ? {} : { names }),
        ...(signed ? { issuer: 'Root' } : {}),
        ...(until === undefined ? {} : { until }),
      }),
    async wait(until) {
      for (let turn = 0; !until(); turn++) {
        if (turn === 1000) throw new Error('waited a second in vain');
        await world.clock.advance(1);
      }
    },
  };
}

/** One end of a connection. */
export class End implements ConnectHost {
  text = '';
  facts: TlsFacts | undefined;
  over = false;
  why: NetworkError | undefined;
  isOpen = false;
  readonly #hear: (end: End) => void;
  constructor(hear: (end: End) => void = () => undefined) {
    this.#hear = hear;
  }
  opened(): void {
    this.isOpen = true;
  }
  data(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString('latin1');
    this.#hear(this);
  }
  drained(): void {}
  secured(facts: TlsFacts): void {
    this.facts = facts;
  }
  closed(why?: NetworkError): void {
    this.over = true;
    this.why = why;
  }
}

export const bytes = (text: string): readonly Uint8Array[] => [Buffer.from(text, 'latin1')];
