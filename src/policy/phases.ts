import type { Seconds } from '../base/index.ts';
import type { BodyHold } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';

/** What a session shows to hooks. Dictionaries may be written; the rest is read. */
export interface Session {
  readonly remote: { readonly ip: string; readonly port: number };
  readonly helo: string;
  readonly reversePath: string | undefined;
  /** The recipient under judgement in validate_rcptto, without angle brackets. */
  readonly recipient: string | undefined;
  readonly connectionContext: Record<string, string>;
  readonly messageContext: Record<string, string>;
}

/** A body that has arrived and is not yet acknowledged. */
export interface Received extends Session {
  readonly recipients: readonly { readonly path: string; binding: string }[];
  readonly body: BodyHold;
}

/** A client that has not been greeted. */
export interface Greeting extends Session {
  /** Sends lines at once, ahead of the banner: each begins with `220-`. */
  preface(lines: readonly string[]): void;
  /**
   * Waits; the client's first bytes end that when `untilEarly` is true.
   *
   * @returns whether it has sent anything before its banner; never settles when it goes
   */
  pause(seconds: Seconds, untilEarly: boolean): Promise<boolean>;
}

/** A command that was refused for how it was written. */
export interface MisspokenCommand extends Session {
  /** It is no command that this client may say; else it is one, with a mistake in it. */
  readonly unrecognized: boolean;
}

/** Momentum's names: Lua and TypeScript share them. */
export interface Phases {
  /** Before validate_connect, and before the client hears anything. */
  core_validate_accept: Greeting;
  validate_connect: Session;
  validate_ehlo: Session;
  validate_mailfrom: Session;
  validate_rcptto: Session;
  validate_data: Session;
  validate_data_spool: Received;
  validate_data_spool_each_rcpt: Received;
  validate_set_binding: Received;
  core_final_validation: Received;
  /** Ours. Its verdict is not heeded, since the client has been answered: it is to be `continue`, and no promise. */
  command_misspoken: MisspokenCommand;
}

export type Verdict =
  | { readonly kind: 'continue' | 'done' | 'discard' | 'disconnect' }
  /** `module`: who decided, filled in by the registry for the rejectlog. */
  | { readonly kind: 'reject' | 'soft'; readonly reply: Reply; readonly module?: string }
  | { readonly kind: 'tarpit'; readonly seconds: number };

/** Whether a verdict ends the phase: everything but `continue` does. */
export const decides = (verdict: Verdict): boolean => verdict.kind !== 'continue';

/** A promise is Momentum's VALIDATE_AGAIN: the session waits, the loop does not. */
export type Hook<P extends keyof Phases> = (subject: Phases[P]) => Verdict | Promise<Verdict>;

export interface Policy {
  /** Hooks of a phase in their order until one decides. No promise when nobody waits. */
  run<P extends keyof Phases>(phase: P, subject: Phases[P]): Verdict | Promise<Verdict>;
  hook<P extends keyof Phases>(phase: P, module: string, hook: Hook<P>): Disposable;
  /** Whether anybody listens: reception skips building subjects for nobody. */
  has(phase: keyof Phases): boolean;
}
