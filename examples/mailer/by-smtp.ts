import { createTransport } from 'nodemailer';
import { counted, filledIn, type Mailer, type Mailing, type Sent } from './mailer.ts';

/**
 * By SMTP, with any library that speaks it.
 *
 * @param url  `smtp://user:password@host:port`
 */
export function bySmtp(url: string): Mailer {
  return {
    async send({ from, subject, text, recipients }: Mailing): Promise<Sent> {
      const transport = createTransport({ url, pool: true });
      try {
        const sendings = recipients.map(async (recipient) => {
          const to = { name: recipient.name, address: recipient.email };
          const words = { subject: filledIn(subject, recipient), text: filledIn(text, recipient) };
          const { response } = await transport.sendMail({ from, to, ...words });
          return response;
        });
        return counted(await Promise.allSettled(sendings));
      } finally {
        transport.close();
      }
    },
  };
}
