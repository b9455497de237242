/**
 * Sends a greeting to whoever is named: `IMPETUS_URL=http://127.0.0.1:2081 IMPETUS_KEY=… node examples/mailer/main.ts
 * ann@example.com bob@example.com`
 */
import { byHttp } from './by-http.ts';

const { IMPETUS_URL = 'http://127.0.0.1:2081', IMPETUS_KEY = '' } = process.env;
const addresses = process.argv.slice(2);
if (addresses.length === 0 || IMPETUS_KEY === '') {
  console.error('usage: IMPETUS_KEY=… node examples/mailer/main.ts ADDRESS …');
  process.exit(2);
}

try {
  const { id, accepted, rejected } = await byHttp(IMPETUS_URL, IMPETUS_KEY).send({
    from: 'greetings@shop.example',
    subject: 'Hello {{name}}',
    text: 'Hello {{name}},\n\nthis came by Impetus.\n',
    recipients: addresses.map((email) => ({ email, name: email.split('@')[0] ?? '' })),
  });
  console.log(`transmission ${id}: ${accepted} accepted, ${rejected} rejected`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
