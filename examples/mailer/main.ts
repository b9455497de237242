/**
 * Sends a greeting to whoever is named: `IMPETUS_URL=… node examples/mailer/main.ts ann@example.com bob@example.com`
 *
 * The URL says which way: `smtp://user:password@127.0.0.1:2525`, `ecstream://127.0.0.1:1825` (or
 * `ecstreams://user:password@mail.example.com:1826`), or `http://127.0.0.1:2081`
 * with an API key in `IMPETUS_KEY`.
 */
import { byEcstream } from './by-ecstream.ts';
import { byHttp } from './by-http.ts';
import { bySmtp } from './by-smtp.ts';
import type { Mailer } from './mailer.ts';

const { IMPETUS_URL = '', IMPETUS_KEY = '' } = process.env;
const addresses = process.argv.slice(2);
const mailer = way(IMPETUS_URL, IMPETUS_KEY);
if (addresses.length === 0 || mailer === undefined) {
  console.error(
    'usage: IMPETUS_URL=smtp[s]://…|ecstream[s]://…|http[s]://… [IMPETUS_KEY=…] node examples/mailer/main.ts ADDRESS …',
  );
  process.exit(2);
}

try {
  const { ids, accepted, rejected } = await mailer.send({
    from: 'greetings@shop.example',
    subject: 'Hello {{name}}',
    text: 'Hello {{name}},\n\nthis came by Impetus.\n',
    recipients: addresses.map((email) => ({ email, name: email.split('@')[0] ?? '' })),
  });
  console.log(`${accepted} accepted, ${rejected} rejected: ${ids.join(', ')}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

function way(url: string, key: string): Mailer | undefined {
  const [scheme] = url.split('://', 1);
  switch (scheme) {
    case 'smtp':
    case 'smtps':
      return bySmtp(url);
    case 'ecstream':
    case 'ecstreams':
      return byEcstream(url);
    case 'http':
    case 'https':
      return key === '' ? undefined : byHttp(url, key);
    default:
      return undefined;
  }
}
