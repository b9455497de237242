import type { Generation } from '../config/index.ts';
import type { House } from '../console/index.ts';
import type { Events } from '../events/index.ts';
import { offersStartTls, smtpExtensions } from '../reception/index.ts';
import { checkTls, HandshakeFailures, type InboundTls, TlsShelf } from '../tls/index.ts';
import type { Clock, World } from '../world/index.ts';

/** The house's TLS: contexts, who may ask for them, and what fails. */
export interface HouseTls extends AsyncDisposable {
  readonly shelf: TlsShelf;
  readonly inbound: InboundTls;
  readonly failures: HandshakeFailures;
}

/** @param events  hears of certificates that cannot be used, and of handshakes that fail */
export function houseTls({ tls, clock, disk }: World, events: Pick<Events, 'diagnose'>): HouseTls {
  const shelf = new TlsShelf({ tls, clock, disk, events });
  const failures = new HandshakeFailures(clock, events);
  return {
    shelf,
    failures,
    inbound: { server: (view) => shelf.server(view), failed: (peer, why) => failures.add(peer, why) },
    [Symbol.asyncDispose]: async () => failures[Symbol.dispose](),
  };
}

/**
 * Reads what a configuration names of certificates and the like, before anything is opened.
 *
 * @throws ConfigErrors
 */
export const checkTlsOf = (generation: Generation, shelf: TlsShelf): Promise<void> =>
  checkTls(generation, shelf, { option: smtpExtensions, offers: offersStartTls });

/** The same for a configuration that nobody serves. */
export async function checkTlsFiles(world: World, generation: Generation): Promise<void> {
  await checkTlsOf(generation, houseTls(world, { diagnose: () => undefined }).shelf);
}

/** What the console shows of it. */
export const tlsView = ({ shelf, failures }: HouseTls, clock: Pick<Clock, 'now'>): House['tls'] => ({
  *contexts() {
    for (const { plan, madeAt } of shelf.contexts) {
      yield {
        side: plan.side,
        ageSeconds: Math.round((clock.now() - madeAt) / 1000),
        certificates: plan.certificates.map(({ certificate }) => certificate),
        authorities: plan.authorities,
        ciphers: plan.rest.ciphers,
      };
    }
  },
  get failedHandshakes() {
    return failures.count;
  },
  flush: () => shelf.flush(),
});
