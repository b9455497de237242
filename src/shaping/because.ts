import type { Option, StanzaId, View } from '../config/index.ts';
import type { GateName } from './gates.ts';
import {
  maxOutboundConnections,
  outboundThrottleConnections,
  outboundThrottleMessages,
  scopeMaxOutboundConnections,
  serverMaxOutboundConnections,
  suspendDelivery,
} from './options.ts';

/** The setting behind a closed gate, for an operator who asks. */
export interface Because {
  readonly option: string;
  readonly value: string;
  /** Which stanza it comes from, with its place in a file. */
  readonly owner: StanzaId;
}

const deciding: Partial<Record<GateName, Option<unknown>>> = {
  suspended: suspendDelivery,
  'server cap': serverMaxOutboundConnections,
  'scope cap': scopeMaxOutboundConnections,
  'pair cap': maxOutboundConnections,
  'connection throttle': outboundThrottleConnections,
  'message throttle': outboundThrottleMessages,
};

/**
 * Which option closes a gate of shaping, and whose value it is.
 * @returns undefined for gates that no option of a pair decides: DNS, hosts, time
 */
export function because(view: View, name: GateName): Because | undefined {
  const option = deciding[name];
  if (option === undefined) return undefined;
  return { option: option.name, value: inWords(view.get(option)), owner: view.owner(option) };
}

function inWords(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'count' in value && 'seconds' in value)
    return `${value.count}/${value.seconds}`;
  return String(value);
}
