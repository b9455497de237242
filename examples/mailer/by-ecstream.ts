import { ecstream } from 'impetus/ecstream';
import { counted, filledIn, type Mailer, type Mailing, type Sent } from './mailer.ts';

/**
 * By ECStream: many messages are under way at once, and none is sent twice when the connection breaks.
 *
 * @param url  `ecstream://host:port`
 */
export function byEcstream(url: string): Mailer {
  const { hostname: host, port } = new URL(url);
  return {
    async send({ from, subject, text, recipients }: Mailing): Promise<Sent> {
      // Whoever runs it at a terminal wants to know soon that the server is down.
      await using client = ecstream({ host, port: Number(port), patience: 3000 });
      const letters = recipients.map((recipient) => ({
        from,
        to: [recipient.email],
        body: [
          `From: ${from}`,
          `To: ${recipient.email}`,
          `Subject: ${filledIn(subject, recipient)}`,
          '',
          filledIn(text, recipient),
        ].join('\n'),
      }));
      const results = await client.sendAll(letters);
      return counted(
        results.map((result) => (result.status === 'fulfilled' ? { ...result, value: result.value.id } : result)),
      );
    },
  };
}
