import { concealed, SECRET_NAMES } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock } from '../world/index.ts';
import type { Permission } from './authorization.ts';

/** What is the same in every line of one console. */
export interface AccountParts {
  readonly clock: Pick<Clock, 'date'>;
  readonly events: Pick<Events, 'record'>;
  readonly generation: () => number;
  readonly listener: string;
  /** `ip:port`; empty for a Unix socket. */
  readonly peer: string;
}

/**
 * Accounting of one console (spec/listeners-and-console 14): over a Unix socket always, over TCP logins where the
 * mechanism has `log_authentication`, and commands where they are authorized.
 */
export class Accounts {
  readonly #parts: AccountParts;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  get always(): boolean {
    return this.#parts.peer === '';
  }

  /** @param wanted  whether the mechanism asks for it */
  login(user: string, result: 1 | 0, wanted: boolean): void {
    if (this.always || wanted) this.#record({ type: 'N', user, result });
  }

  timedOut(wanted: boolean): void {
    if (this.always || wanted) this.#record({ type: 'T', user: '', result: 0 });
  }

  /** @param permission  undefined where commands are not authorized, or this one is for everybody */
  command(user: string, command: string, permission: Permission | undefined, enforced: boolean): void {
    if (!this.always && !enforced) return;
    const result =
      permission === undefined || permission.kind === 'allowed' ? 1 : permission.kind === 'refused' ? 0 : -1;
    const role = permission?.kind === 'allowed' ? { role: permission.role } : {};
    this.#record({ type: 'Z', user, result, command: withoutSecrets(command), ...role });
  }

  #record(line: {
    readonly type: 'N' | 'T' | 'Z';
    readonly user: string;
    readonly result: 1 | 0 | -1;
    readonly command?: string;
    readonly role?: string;
  }): void {
    const { clock, events, generation, listener, peer } = this.#parts;
    events.record({ kind: 'accounting', at: clock.date(), generation: generation(), listener, peer, ...line });
  }
}

/** A command as logs may have it: a password that is set, also within a URI, is not among what it does. */
export const withoutSecrets = (command: string): string => concealed(command.replace(SET, '$1***'));

/** Here a blank may stand between the name and its value. */
const SET = new RegExp(`^((?:(?:json|xml)\\s+)*(?:config\\s+)?set\\s.*?${SECRET_NAMES}(?:\\s*=\\s*|\\s+))\\S.*$`, 'is');
