export type BounceCategory = 'Undetermined' | 'Hard' | 'Soft' | 'Admin' | 'Block';

export interface BounceClass {
  readonly code: number;
  readonly name: string;
  readonly category: BounceCategory;
}

/** The classes of failures, as bouncelog, events and operators know them (manual; test/reference/bounce-codes.json). */
export const bounceClasses: readonly BounceClass[] = [
  { code: 1, name: 'Undetermined', category: 'Undetermined' },
  { code: 10, name: 'Invalid Recipient', category: 'Hard' },
  { code: 20, name: 'Soft Bounce', category: 'Soft' },
  { code: 21, name: 'DNS Failure', category: 'Soft' },
  { code: 22, name: 'Mailbox Full', category: 'Soft' },
  { code: 23, name: 'Too Large', category: 'Soft' },
  { code: 24, name: 'Timeout', category: 'Soft' },
  { code: 25, name: 'Admin Failure', category: 'Admin' },
  { code: 30, name: 'Generic Bounce: No RCPT', category: 'Hard' },
  { code: 40, name: 'Generic Bounce', category: 'Soft' },
  { code: 50, name: 'Mail Block', category: 'Block' },
  { code: 51, name: 'Spam Block', category: 'Block' },
  { code: 52, name: 'Spam Content', category: 'Block' },
  { code: 53, name: 'Prohibited Attachment', category: 'Block' },
  { code: 54, name: 'Relaying Denied', category: 'Block' },
  { code: 60, name: 'Auto-Reply', category: 'Soft' },
  { code: 70, name: 'Transient Failure', category: 'Soft' },
  { code: 80, name: 'Subscribe', category: 'Admin' },
  { code: 90, name: 'Unsubscribe', category: 'Hard' },
  { code: 100, name: 'Challenge-Response', category: 'Soft' },
];

/** The numbers that our own classifier gives. */
export const bounceCode = {
  undetermined: 1,
  invalidRecipient: 10,
  soft: 20,
  dns: 21,
  full: 22,
  tooLarge: 23,
  timeout: 24,
  admin: 25,
  generic: 40,
  block: 50,
  spamBlock: 51,
  spamContent: 52,
  attachment: 53,
  relay: 54,
  transient: 70,
  challenge: 100,
} as const;

/** @returns undefined for a code that a site has added */
export const bounceClass = (code: number): BounceClass | undefined =>
  bounceClasses.find((known) => known.code === code);
