import { type Reply, reply, type ServerWord, serverWord } from '../smtp/index.ts';

/** What reception says, in the words of the manual's reply list where it has them. */
export const replies = {
  senderAccepted: reply(250, '2.1.0', 'MAIL FROM accepted'),
  recipientAccepted: reply(250, '2.1.5', 'RCPT TO accepted.'),
  continue: reply(354, undefined, 'continue.  finished with "\\r\\n.\\r\\n"'),
  reset: reply(250, '2.0.0', 'OK'),
  relayingDenied: reply(550, '5.7.1', 'relaying denied'),
  authenticationRequired: reply(530, '5.7.0', 'Authentication required'),
  authenticated: reply(235, '2.7.0', 'Authentication successful'),
  badCredentials: reply(535, '5.7.8', 'Authentication credentials invalid'),
  malformedLogin: reply(501, '5.5.2', 'malformed authentication response'),
  loginUnavailable: reply(454, '4.7.0', 'Temporary authentication failure'),
  encryptionRequired: reply(538, '5.7.11', 'Encryption required for requested authentication mechanism'),
  unknownMechanism: reply(504, '5.5.4', 'Unrecognized authentication type'),
  tooManyLogins: reply(421, '4.7.0', 'too many failed logins'),
  nullSender: reply(550, '5.7.1', 'null sender not allowed'),
  noValidDomain: reply(554, '5.1.2', 'No Valid Domain'),
  messageTooLarge: reply(552, '5.3.4', 'message size limit exceeded'),
  mailLoop: reply(554, '5.4.6', 'too many hops, mail loop'),
  loneInHeaders: reply(550, '5.6.0', 'Lone CR or LF in headers (see RFC2822 section 2.2)'),
  headersMissing: reply(550, '5.6.0', 'Required headers not found (see RFC2822 section 3.6)'),
  headerInvalid: reply(550, '5.6.0', 'Invalid header found (see RFC2822 section 3.6)'),
  dateMissing: reply(550, '5.6.0', 'Missing required RFC2822 Date field (see RFC2822 section 3.6)'),
  headerLineTooLong: reply(550, '5.6.0', 'Header line too long (see RFC2822 section 3.5)'),
  bodyLineTooLong: reply(550, '5.6.0', 'Body line too long (see RFC2822 section 3.5)'),
  blackholed: reply(551, '5.7.1', 'recipient blackholed'),
  headerEnd: reply(550, '5.6.0', 'Header not terminated by CR LF (see RFC2822 section 2.2)'),
  loneInBody: reply(550, '5.6.0', 'Lone CR or LF in body (see RFC2822 section 2.3)'),
  recipientsPerMessage: reply(452, '4.5.3', 'Service unavailable, recipients per message limit reached'),
  recipientsPerConnection: reply(452, '4.5.3', 'Service unavailable, recipients per connection limit reached'),
  receptions: reply(421, '4.5.3', 'Service unavailable, batch limit reached'),
  throttled: reply(451, '4.7.1', 'too many messages at present, try again later'),
  sessions: reply(421, '4.4.5', 'Service unavailable, concurrency limit reached.'),
  memoryExceeded: reply(421, '4.3.4', 'allocated resources exceeded'),
  spoolFull: reply(452, '4.3.1', 'insufficient system storage'),
  failed: reply(451, '4.3.0', 'transaction failed'),
  startTls: reply(220, '2.0.0', 'ready to start TLS'),
  noTls: reply(454, '4.7.0', 'TLS not available'),
  certificateExpired: reply(454, '4.7.0', 'certificate expired'),
  certificateNotYetValid: reply(454, '4.7.0', 'certificate not yet valid: possible clock skew'),
  disconnect: reply(421, '4.4.5', 'Service unavailable'),
} as const;

export const goOn = (said: Reply): ServerWord => serverWord(said, 'go on');
export const andClose = (said: Reply): ServerWord => serverWord(said, 'close');

/** A refusal ends the session when it is a 421 (RFC 5321 §3.8), and only then. */
export const refusal = (said: Reply): ServerWord => (said.code === 421 ? andClose(said) : goOn(said));

/** Words that every message needs: made once. */
export const words = {
  senderAccepted: goOn(replies.senderAccepted),
  recipientAccepted: goOn(replies.recipientAccepted),
  readBody: serverWord(replies.continue, 'read body'),
  reset: goOn(replies.reset),
} as const satisfies Record<string, ServerWord>;
