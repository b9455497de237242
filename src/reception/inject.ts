import type { BodyTraits, Envelope, EnvelopeRecipient, SpoolAddress } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Draft } from '../spool/index.ts';
import type { Desk } from './desk.ts';
import { type Copy, Judge, type Judgement, wantsJudgement } from './judgement.ts';
import { announce } from './transaction.ts';

/** Policy would not have the message; nothing was stored. */
export class InjectionRefused extends Error {
  /** Undefined: discarded. */
  readonly reply: Reply | undefined;
  constructor(reply: Reply | undefined) {
    super(
      reply === undefined
        ? 'the message was discarded by policy'
        : `the message was refused by policy: ${reply.code} ${reply.text}`,
    );
    this.reply = reply;
  }
}

/** Recipients of another reception that are finished with this message, in the same batch of the spool. */
export interface InPlaceOf {
  readonly at: SpoolAddress;
  readonly recipients: readonly number[];
}

/**
 * Mail that came over no SMTP session: set_binding, final validation, the spool.
 *
 * @returns once it is durable
 * @throws SpoolError, InjectionRefused
 */
export async function inject(
  desk: Desk,
  envelope: Envelope,
  traits: BodyTraits,
  draft: Draft,
  replaces?: InPlaceOf,
): Promise<SpoolAddress> {
  const generation = desk.parts.configuration.current;
  let wanted = envelope;
  if (wantsJudgement(desk, 'injection')) {
    const copies = envelope.recipients.map((recipient): EnvelopeRecipient & Copy => ({ ...recipient }));
    const judgement = await judge(desk, envelope, draft, copies);
    if (judgement.kind !== 'accepted') {
      draft.discard();
      throw new InjectionRefused(judgement.kind === 'refused' ? judgement.reply : undefined);
    }
    wanted = { ...envelope, recipients: copies };
  }
  const final = { ...wanted, size: draft.length };
  const at = await commit(desk, final, traits, draft, replaces);
  announce(desk, generation, at, final, traits);
  return at;
}

const judge = (desk: Desk, envelope: Envelope, draft: Draft, copies: Copy[]): Promise<Judgement> =>
  new Promise((resolve) => {
    const origin = {
      remote: { ip: envelope.peer, port: 0 },
      helo: '',
      reversePath: envelope.reversePath,
      connectionContext: { ...envelope.context.connection },
      messageContext: { ...envelope.context.message },
    };
    new Judge(desk, 'injection', origin, draft, copies, resolve).run();
  });

function commit(
  desk: Desk,
  envelope: Envelope,
  traits: BodyTraits,
  draft: Draft,
  replaces: InPlaceOf | undefined,
): Promise<SpoolAddress> {
  desk.commits += 1;
  return new Promise<SpoolAddress>((resolve, reject) => {
    const told = { kept: resolve, refused: reject };
    if (replaces === undefined) draft.commit(envelope, traits, told);
    else desk.parts.spool.replace(replaces.at, replaces.recipients, draft, envelope, traits, told);
  }).finally(() => desk.committed());
}
