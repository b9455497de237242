/** One message to many people, each with data of their own; whichever way it goes to the server. */
export interface Mailing {
  readonly from: string;
  readonly subject: string;
  /** Plain text; `{{name}}` is filled in. */
  readonly text: string;
  readonly recipients: readonly { readonly email: string; readonly name: string }[];
}

export interface Sent {
  /** What the server calls it. */
  readonly id: string;
  readonly accepted: number;
  readonly rejected: number;
}

/** A way to the server. `by-http.ts` is one; SMTP and ECStream would stand beside it. */
export interface Mailer {
  /** @throws Error with the server's words */
  send(mailing: Mailing): Promise<Sent>;
}
