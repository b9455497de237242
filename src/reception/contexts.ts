import { type Client, pathVariables } from './client.ts';
import type { Transaction } from './transaction.ts';

/** Both dictionaries of a session, by name of the variable. */
export interface Variables {
  readonly connection: Readonly<Record<string, string>>;
  readonly message: Readonly<Record<string, string>>;
}

/**
 * What a session has counted, and the predefined variables that come of it and of its envelope. They are put together
 * when somebody looks: the rejectlog, XDUMPCONTEXT, hooks. Mail does not carry them, since its envelope says the same.
 */
export class Contexts {
  /** Messages that were accepted on this connection. */
  receptions = 0;
  /** Recipients that were accepted on this connection. */
  recipients = 0;
  readonly #client: Client;
  #rcptLine = '';
  #rcptPath = '';
  #judging = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** A RCPT is being judged. `line` as it came, `path` as it is written in it. */
  judge(line: string, path: string): void {
    this.#rcptLine = line;
    this.#rcptPath = path;
    this.#judging = true;
  }

  /** The path of the last RCPT. */
  get rcptPath(): string {
    return this.#rcptPath;
  }

  /** The recipient has been answered. */
  judged(accepted: boolean): void {
    this.#judging = false;
    if (accepted) this.recipients += 1;
  }

  /** The recipients of this transaction are complete, or it is over. */
  forgetRecipient(): void {
    this.#rcptLine = '';
    this.#judging = false;
  }

  /** Variables of both; what hooks have set in the message's wins over what the envelope says. */
  variables(transaction: Transaction | undefined): Variables {
    const { connectionContext, messageContext } = this.#client;
    return {
      connection: { ...connectionContext, ...this.#counters(transaction) },
      message: {
        ...(transaction === undefined ? {} : pathVariables('mailfrom', transaction.line, transaction.written)),
        ...(this.#rcptLine === '' ? {} : pathVariables('rcptto', this.#rcptLine, this.#rcptPath)),
        ...messageContext,
      },
    };
  }

  /** Puts them into the dictionaries: hooks look there. */
  show(transaction: Transaction): void {
    const { connection, message } = this.variables(transaction);
    Object.assign(this.#client.connectionContext, connection);
    Object.assign(this.#client.messageContext, message, this.#ofRecipient());
  }

  /** A recipient that is being judged is counted. */
  #counters(transaction: Transaction | undefined): Record<string, string> {
    const judging = this.#judging ? 1 : 0;
    return {
      connection_message_count: String(this.receptions),
      connection_rcpt_count: String(this.recipients + judging),
      ...(transaction === undefined ? {} : { message_rcpt_count: String(transaction.recipients.length + judging) }),
    };
  }

  /** Of the present one: those of the one before it are in the dictionary already. */
  #ofRecipient(): Record<string, string> {
    return this.#rcptLine === '' ? {} : pathVariables('rcptto', this.#rcptLine, this.#rcptPath);
  }
}
