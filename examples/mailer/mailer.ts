/** One message to many people, each with data of their own; whichever way it goes to the server. */
export interface Mailing {
  readonly from: string;
  readonly subject: string;
  /** Plain text; `{{name}}` is filled in. */
  readonly text: string;
  readonly recipients: readonly Recipient[];
}

export interface Recipient {
  readonly email: string;
  readonly name: string;
}

export interface Sent {
  /** What the server calls it: the transmission, or each message. */
  readonly ids: readonly string[];
  readonly accepted: number;
  readonly rejected: number;
}

/** A way to the server: `by-http.ts`, `by-smtp.ts`, `by-ecstream.ts`. */
export interface Mailer {
  /** @throws Error with the server's words, when nothing was accepted */
  send(mailing: Mailing): Promise<Sent>;
}

/** For the ways on which the server fills in nothing. */
export const filledIn = (text: string, { name }: Recipient): string => text.replaceAll('{{name}}', name);

/** @throws the first refusal, when there is nothing else */
export function counted(results: readonly PromiseSettledResult<string>[]): Sent {
  const ids = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refusal = results.find((result) => result.status === 'rejected');
  if (ids.length === 0 && refusal !== undefined) throw refusal.reason;
  return { ids, accepted: ids.length, rejected: results.length - ids.length };
}
