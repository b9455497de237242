/** Rights of an API key: one per interface, GET is to view, everything else to modify (spec/http-api 3). */
export const GRANTS = [
  'adaptive/view',
  'message_events/view',
  'metrics/view',
  'recipient_lists/manage',
  'sending_domains/manage',
  'smtp/inject',
  'stats/modify',
  'stats/view',
  'suppression_lists/manage',
  'templates/modify',
  'templates/preview',
  'templates/view',
  'transmissions/modify',
  'transmissions/view',
  'webhooks/modify',
  'webhooks/view',
] as const;

/** `users/manage` is not among them: no key may make keys. */
export type Grant = (typeof GRANTS)[number];

export const isGrant = (text: string): text is Grant => GRANTS.some((grant) => grant === text);

/** Who a request comes from. */
export type Principal =
  | { readonly kind: 'key'; readonly id: string; readonly label: string; readonly grants: ReadonlySet<Grant> }
  | { readonly kind: 'user'; readonly name: string }
  /** A verified client certificate, where TLS_Verified_Peer_Is_Authorized holds. */
  | { readonly kind: 'certificate'; readonly subject: string }
  /** `Always_Allow` holds for its address. */
  | { readonly kind: 'trusted' }
  | { readonly kind: 'anonymous' };
