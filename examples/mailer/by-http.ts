import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mailer, Mailing, Sent } from './mailer.ts';

interface Answer {
  readonly results?: {
    readonly id: string;
    readonly total_accepted_recipients: number;
    readonly total_rejected_recipients: number;
  };
  readonly errors?: readonly { readonly message: string; readonly description?: string }[];
}

const MOST_TRIES = 5;

/**
 * By `POST /api/v1/transmissions`. A server that has no room now is asked again; the key makes sure that a request whose
 * answer was lost is not sent twice.
 */
export function byHttp(url: string, apiKey: string): Mailer {
  return {
    async send(mailing: Mailing): Promise<Sent> {
      const body = JSON.stringify({
        recipients: mailing.recipients.map(({ email, name }) => ({
          address: { email, name },
          substitution_data: { name },
        })),
        content: { from: mailing.from, subject: mailing.subject, text: mailing.text },
      });
      const once = createHash('sha256').update(body).digest('hex');
      for (let attempt = 1; ; attempt++) {
        const response = await fetch(new URL('/api/v1/transmissions', url), {
          method: 'POST',
          headers: { Authorization: apiKey, 'Content-Type': 'application/json', 'Idempotency-Key': once },
          body,
        });
        const { results, errors } = (await response.json()) as Answer;
        if (response.ok && results !== undefined)
          return {
            ids: [results.id],
            accepted: results.total_accepted_recipients,
            rejected: results.total_rejected_recipients,
          };
        if (response.status !== 503 || attempt === MOST_TRIES)
          throw new Error(
            errors?.map((each) => each.description ?? each.message).join('; ') ?? `status ${response.status}`,
          );
        await pause(Number(response.headers.get('retry-after') ?? 1) * 1000);
      }
    },
  };
}
