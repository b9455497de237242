import { type BindingName, inMillis, type Millis, millis, seconds } from '../base/index.ts';
import type { BodyHold } from '../message/index.ts';
import { decides, type Received, type Verdict } from '../policy/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Draft } from '../spool/index.ts';
import type { Desk } from './desk.ts';
import { CORE } from './rejection.ts';
import { replies } from './replies.ts';

/** What policy made of a message whose body is here. */
export type Judgement =
  /** `refused`: recipients whom policy would not have while it took the message for others; they are no copies any more. */
  | { readonly kind: 'accepted'; readonly refused: readonly RefusedCopy[] }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'refused'; readonly reply: Reply; readonly module: string };

export interface RefusedCopy {
  readonly copy: Copy;
  readonly reply: Reply;
  readonly module: string;
}

/** Whom policy is told of: a client, or nobody for our own mail. */
export interface Origin {
  readonly remote: { readonly ip: string; readonly port: number };
  readonly helo: string;
  readonly reversePath: string | undefined;
  readonly connectionContext: Record<string, string>;
  readonly messageContext: Record<string, string>;
}

/** One recipient. Hooks of validate_set_binding write `binding`. */
export interface Copy {
  readonly path: string;
  binding: BindingName;
  /** Variables of this recipient alone. */
  readonly context?: Readonly<Record<string, string>>;
}

type BodyPhase =
  | 'validate_data'
  | 'validate_data_spool'
  | 'validate_data_spool_each_rcpt'
  | 'validate_set_binding'
  | 'core_final_validation';

/** Momentum's order. Each recipient has its own copy from each_rcpt on. */
const SMTP_PHASES: readonly BodyPhase[] = [
  'validate_data',
  'validate_data_spool',
  'validate_data_spool_each_rcpt',
  'validate_set_binding',
  'core_final_validation',
];
/** HTTP, ECStream, our own mail. */
const INJECTION_PHASES: readonly BodyPhase[] = ['validate_set_binding', 'core_final_validation'];
const ONCE: ReadonlySet<BodyPhase> = new Set(['validate_data', 'validate_data_spool']);

/** Whether anybody wants to see bodies: nearly always nobody, and then no Judge is made. */
export const wantsJudgement = (desk: Desk, door: 'SMTP' | 'injection'): boolean =>
  phasesOf(door).some((phase) => desk.parts.policy.has(phase));

const phasesOf = (door: 'SMTP' | 'injection'): readonly BodyPhase[] =>
  door === 'SMTP' ? SMTP_PHASES : INJECTION_PHASES;

/**
 * Runs the phases of a body, one after the other, and tells once what came out: within the call when no hook waits.
 *
 * A session has one answer for all recipients. When policy refuses some of several, the message is taken and the sender
 * is told of these later; when it refuses all of them, the last refusal is the answer. Mail that comes by another door
 * is refused as a whole, since its sender still waits. A copy that is discarded leaves the recipients; when all are gone
 * the message is discarded.
 */
export class Judge {
  readonly #desk: Desk;
  readonly #steps: { readonly phase: BodyPhase; readonly subject: Subject }[] = [];
  readonly #copies: Copy[];
  readonly #told: (judgement: Judgement) => void;
  readonly #bodies: Bodies;
  readonly #parts: boolean;
  readonly #refused: RefusedCopy[] = [];
  #next = 0;
  #tarpitSeconds = 0;

  /** @param copies  bindings are set in them, discarded ones are taken out */
  constructor(
    desk: Desk,
    door: 'SMTP' | 'injection',
    origin: Origin,
    draft: Draft,
    copies: Copy[],
    told: (judgement: Judgement) => void,
  ) {
    this.#desk = desk;
    this.#copies = copies;
    this.#told = told;
    this.#bodies = new Bodies(draft);
    this.#parts = door === 'SMTP' && copies.length > 1;
    const batch = new Subject(origin, copies, this.#bodies);
    const singles = copies.map((copy) => new Subject(origin, [copy], this.#bodies));
    for (const phase of phasesOf(door)) {
      if (!desk.parts.policy.has(phase)) continue;
      for (const subject of ONCE.has(phase) ? [batch] : singles) this.#steps.push({ phase, subject });
    }
  }

  run(): void {
    for (;;) {
      const step = this.#steps[this.#next];
      if (step === undefined) return this.#end(this.#verdict());
      this.#next += 1;
      const { phase, subject } = step;
      if (subject.gone) continue;
      const verdict = this.#desk.parts.policy.run(phase, subject);
      if (verdict instanceof Promise) {
        void verdict.then((late) => {
          if (this.#apply(phase, subject, late)) this.run();
        });
        return;
      }
      if (!this.#apply(phase, subject, verdict)) return;
    }
  }

  /** @returns whether to go on */
  #apply(phase: BodyPhase, subject: Subject, verdict: Verdict): boolean {
    if (!decides(verdict)) return true;
    switch (verdict.kind) {
      case 'reject':
      case 'soft':
        if (this.#parts && !ONCE.has(phase)) {
          const module = verdict.module ?? CORE;
          for (const copy of subject.recipients) this.#refused.push({ copy, reply: verdict.reply, module });
          subject.gone = true;
          return true;
        }
        this.#end({ kind: 'refused', reply: verdict.reply, module: verdict.module ?? CORE });
        return false;
      case 'disconnect':
        this.#end({ kind: 'refused', reply: replies.disconnect, module: CORE });
        return false;
      case 'discard':
        if (ONCE.has(phase)) {
          this.#end({ kind: 'discarded' });
          return false;
        }
        subject.gone = true;
        this.#copies.splice(
          0,
          this.#copies.length,
          ...this.#copies.filter((copy) => !subject.recipients.includes(copy)),
        );
        return true;
      case 'tarpit':
        this.#tarpitSeconds = Math.max(this.#tarpitSeconds, verdict.seconds);
        return true;
      default:
        return true;
    }
  }

  #verdict(): Judgement {
    const refused = this.#refused;
    const last = refused[refused.length - 1];
    if (last !== undefined && refused.length === this.#copies.length)
      return { kind: 'refused', reply: last.reply, module: last.module };
    return this.#copies.length > 0 ? { kind: 'accepted', refused } : { kind: 'discarded' };
  }

  #end(judgement: Judgement): void {
    this.#bodies.close();
    if (this.#tarpitSeconds <= 0) {
      this.#told(judgement);
      return;
    }
    const { clock } = this.#desk.parts;
    clock.at(tarpitEnd(clock.now(), this.#tarpitSeconds), () => this.#told(judgement));
  }
}

/** Seconds that a tarpit may hold a reply (policy: return values). */
const LONGEST_TARPIT = 300;

export const tarpitEnd = (now: Millis, wanted: number): Millis =>
  millis(now + inMillis(seconds(Math.min(wanted, LONGEST_TARPIT))));

/** The body before the commit: one lease for all hooks, taken when the first one looks. */
class Bodies {
  readonly #draft: Draft;
  #hold: BodyHold | undefined = undefined;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** From its first byte. */
  open(): BodyHold {
    this.#hold ??= this.#draft.body;
    this.#hold.rewind();
    return this.#hold;
  }

  close(): void {
    this.#hold?.[Symbol.dispose]();
    this.#hold = undefined;
  }
}

/** A message, or one recipient's copy of it, as hooks see it. */
class Subject implements Received {
  readonly remote: Received['remote'];
  readonly helo: string;
  readonly reversePath: string | undefined;
  readonly recipient: string | undefined;
  readonly connectionContext: Record<string, string>;
  readonly messageContext: Record<string, string>;
  readonly recipients: readonly Copy[];
  gone = false;
  readonly #bodies: Bodies;

  constructor(origin: Origin, copies: readonly Copy[], bodies: Bodies) {
    this.remote = origin.remote;
    this.helo = origin.helo;
    this.reversePath = origin.reversePath;
    this.recipient = copies.length === 1 ? copies[0]?.path : undefined;
    this.connectionContext = origin.connectionContext;
    const own = copies.length === 1 ? copies[0]?.context : undefined;
    this.messageContext = own === undefined ? origin.messageContext : { ...origin.messageContext, ...own };
    this.recipients = copies;
    this.#bodies = bodies;
  }

  get body(): BodyHold {
    return this.#bodies.open();
  }
}
