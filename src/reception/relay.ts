import { fromUtf8Bytes, parseDomain } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { bounceDomains, openRelay, relayDomains, relayForSendingDomains, relayHosts } from './options.ts';

/** Whether the client may send anywhere because of where it comes from: decided once, when it connects. */
export function clientMayRelay(view: View, client: string): boolean {
  return view.get(openRelay) || (view.get(relayHosts)?.matches(client).length ?? 0) > 0;
}

/**
 * Whether this transaction may go to this recipient although its client may not relay everywhere.
 *
 * @param sender  domain of the reverse-path as the client wrote it, empty for the null reverse-path
 * @param recipient  domain of the recipient in canonical form
 */
export function transactionMayRelay(view: View, sender: string, recipient: string): boolean {
  const senders = view.get(relayForSendingDomains);
  if (senders !== undefined) {
    // Set and empty is everyone, the null sender included (manual page relay_for_sending_domains).
    if (senders.patterns.length === 0) return true;
    const domain = sender === '' ? undefined : parseDomain(fromUtf8Bytes(sender));
    if (domain !== undefined && senders.matches(domain)) return true;
  }
  return (
    (view.get(relayDomains)?.matches(recipient) ?? false) || (view.get(bounceDomains)?.matches(recipient) ?? false)
  );
}
