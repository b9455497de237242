/**
 * Every place that can hold a message back, in the order they are asked. On the hot path a refusal is an index into
 * this table and a time; words are made only when somebody asks why.
 */
export const gates = [
  'open',
  'expired',
  'suspended',
  'retry time',
  'DNS',
  'no usable host',
  'server cap',
  'scope cap',
  'pair cap',
  'connection throttle',
  'message throttle',
  'host cap',
  'policy wait',
] as const;

export type GateName = (typeof gates)[number];

declare const kind: unique symbol;
export type Gate = number & { readonly [kind]: 'gate' };

/** The index of a gate; asked once for each name, when a room is built. */
export const gate = (name: GateName): Gate => gates.indexOf(name) as Gate;
