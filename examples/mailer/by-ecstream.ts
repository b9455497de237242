import { ecstream } from 'impetus/ecstream';
import { counted, filledIn, type Mailer, type Mailing, type Sent } from './mailer.ts';

/**
 * By ECStream: many messages are under way at once, and none is sent twice when the connection breaks.
 *
 * @param url  `ecstream://host:port`, or `ecstreams://user:password@host:port` for a listener with `Use_SSL`. Another authority
 *   than those that Node knows is named by `NODE_EXTRA_CA_CERTS`
 */
export function byEcstream(url: string): Mailer {
  const { protocol, hostname, port, username, password } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const login = username === '' ? {} : { login: { user: decoded(username), password: decoded(password) } };
  return {
    async send({ from, subject, text, recipients }: Mailing): Promise<Sent> {
      // Whoever runs it at a terminal wants to know soon that the server is down.
      await using client = ecstream({
        host,
        port: Number(port),
        tls: protocol === 'ecstreams:',
        patience: 3000,
        ...login,
      });
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

const decoded = (text: string): string => decodeURIComponent(text);
