/** As much of nodemailer as we use; it brings no types of its own. */
declare module 'nodemailer' {
  interface Address {
    readonly name: string;
    readonly address: string;
  }
  interface Mail {
    readonly from: string;
    readonly to: Address;
    readonly subject: string;
    readonly text: string;
  }
  interface Transport {
    /** @returns what the server said to the message: `250 2.0.0 OK …` with its id */
    sendMail(mail: Mail): Promise<{ readonly response: string }>;
    close(): void;
  }
  export function createTransport(options: { readonly url: string; readonly pool: boolean }): Transport;
}
