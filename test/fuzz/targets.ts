import type { FuzzTarget } from './target.ts';
import { addresses, paths } from './targets/addresses.ts';
import { bodies } from './targets/bodies.ts';
import { grammar, pattern } from './targets/configuration.ts';
import { ecstream } from './targets/ecstream.ts';
import { httpBodies } from './targets/http-bodies.ts';
import { httpStream } from './targets/http-stream.ts';
import { mailContent } from './targets/mail-content.ts';
import { proxyHeader } from './targets/proxy.ts';
import { reception } from './targets/reception.ts';
import { dns, frames, headers, spool } from './targets/records.ts';
import { sasl, saslClient } from './targets/sasl.ts';
import { client, replies } from './targets/smtp-client.ts';
import { server } from './targets/smtp-server.ts';
import { templateLanguage } from './targets/templates.ts';
import { texts } from './targets/texts.ts';

/** Everything that is fed with bytes of strangers. A new parser is one line. */
export const targets: readonly FuzzTarget[] = [
  server,
  reception,
  sasl,
  saslClient,
  client,
  replies,
  bodies,
  paths,
  addresses,
  headers,
  frames,
  grammar,
  pattern,
  dns,
  spool,
  texts,
  templateLanguage,
  mailContent,
  proxyHeader,
  httpBodies,
  httpStream,
  ...ecstream,
];
