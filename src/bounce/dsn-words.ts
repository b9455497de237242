/** What has become of the recipients of one report (RFC 3464 §2.3.3). */
export type DsnAction = 'failed' | 'relayed' | 'delivered' | 'delayed';

interface Words {
  readonly subject: string;
  /** @param host  who says so @param date  of the message @param count  of addresses */
  readonly intro: (host: string, date: string, count: number) => string;
}

const these = (count: number): string => (count === 1 ? 'this address' : 'these addresses');

/** What people read in a report. */
export const deliveryWords: Readonly<Record<DsnAction, Words>> = {
  failed: {
    subject: 'Delivery failed',
    intro: (host, date, count) =>
      `The server ${host} could not deliver your message of ${date} to ${these(count)}, and will not try again:`,
  },
  relayed: {
    subject: 'Delivery report: handed on',
    intro: (host, date, count) =>
      `As you asked, the server ${host} reports that your message of ${date} to ${these(count)} was handed to a server ` +
      'that sends no reports of its own. You may hear nothing more of it:',
  },
  delivered: {
    subject: 'Delivery report: delivered',
    intro: (host, date, count) =>
      `As you asked, the server ${host} reports that your message of ${date} was delivered to ${these(count)}:`,
  },
  delayed: {
    subject: 'Delivery delayed',
    intro: (host, date, count) =>
      `The server ${host} could not yet deliver your message of ${date} to ${these(count)}. It goes on trying, and you ` +
      'need not send the message again:',
  },
};
