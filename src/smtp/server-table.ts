import { type Reply, reply } from './reply.ts';
import type { TrustedCommand } from './server-events.ts';

/** States in which the server reads commands. */
export type CommandState = 'start' | 'ready' | 'mail' | 'rcpt' | 'chunks';

/** The driver decides; a 2xx or 3xx leads there, where `idle` is `ready`, or `start` before any EHLO. */
export interface Question {
  readonly asks:
    | 'connect'
    | 'ehlo'
    | 'helo'
    | 'mail'
    | 'rcpt'
    | 'data'
    | 'bdat'
    | 'end-of-data'
    | 'rset'
    | 'quit'
    | 'starttls'
    | 'auth'
    | TrustedCommand;
  readonly leadsTo: CommandState | 'idle' | 'body' | 'tls' | 'the same';
}

/** What a command does in a state. */
export type Rule = Question | { readonly says: Reply };

/** What is allowed behind a verb. */
export type Argument = 'any' | 'name' | 'sender' | 'recipient' | { readonly none: Reply };

export interface Command {
  readonly argument: Argument;
  /** Also before EHLO when `Require_EHLO` is set. */
  readonly early: boolean;
  readonly in: Readonly<Record<CommandState, Rule>>;
  /** Known to those only whom `settings.trusts` lists it for. */
  readonly trusted?: TrustedCommand;
}

const MAIL_TWICE = reply(501, '5.5.1', 'MAIL FROM already established');
const RCPT_FIRST = reply(503, '5.5.1', 'RCPT TO without MAIL FROM');
const DATA_FIRST = reply(503, '5.5.1', 'DATA without MAIL FROM');
const DATA_UNADDRESSED = reply(503, '5.5.1', 'DATA without RCPT TO');
const OUT_OF_PLACE = reply(503, '5.5.1', 'bad sequence of commands');
const NOT_IMPLEMENTED = reply(502, '5.5.1', 'command not implemented');
const NO_PARAMETERS_ALLOWED = reply(501, '5.5.4', 'Syntax error (no parameters allowed)');

const ask = (asks: Question['asks'], leadsTo: Question['leadsTo']): Rule => ({ asks, leadsTo });
const say = (says: Reply): Rule => ({ says });
const always = (rule: Rule): Command['in'] => ({ start: rule, ready: rule, mail: rule, rcpt: rule, chunks: rule });
const answer = (said: Reply, early: boolean): Command => ({ argument: 'any', early, in: always(say(said)) });

/** Said in any state, it changes none; XCLIENT is said between transactions and begins the session anew. */
const trusted = (asks: TrustedCommand, early: boolean): Command => {
  const anew = ask(asks, 'start');
  return {
    argument: 'any',
    early,
    in:
      asks === 'xclient'
        ? { start: anew, ready: anew, mail: say(OUT_OF_PLACE), rcpt: say(OUT_OF_PLACE), chunks: say(OUT_OF_PLACE) }
        : always(ask(asks, 'the same')),
    trusted: asks,
  };
};

/** The whole of RFC 5321 §4.1.4 for this server, by verb and state. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['EHLO', { argument: 'name', early: true, in: always(ask('ehlo', 'ready')) }],
  ['HELO', { argument: 'name', early: true, in: always(ask('helo', 'ready')) }],
  [
    'MAIL',
    {
      argument: 'sender',
      early: false,
      in: {
        start: ask('mail', 'mail'),
        ready: ask('mail', 'mail'),
        mail: say(MAIL_TWICE),
        rcpt: say(MAIL_TWICE),
        chunks: say(MAIL_TWICE),
      },
    },
  ],
  [
    'RCPT',
    {
      argument: 'recipient',
      early: false,
      in: {
        start: say(RCPT_FIRST),
        ready: say(RCPT_FIRST),
        mail: ask('rcpt', 'rcpt'),
        rcpt: ask('rcpt', 'rcpt'),
        chunks: say(OUT_OF_PLACE),
      },
    },
  ],
  [
    'DATA',
    {
      argument: { none: reply(501, '5.5.4', 'unexpected argument to DATA') },
      early: false,
      in: {
        start: say(DATA_FIRST),
        ready: say(DATA_FIRST),
        mail: say(DATA_UNADDRESSED),
        rcpt: ask('data', 'body'),
        chunks: say(OUT_OF_PLACE),
      },
    },
  ],
  [
    'RSET',
    {
      argument: { none: reply(501, '5.5.4', 'invalid arguments to RSET') },
      early: true,
      in: always(ask('rset', 'idle')),
    },
  ],
  ['QUIT', { argument: { none: NO_PARAMETERS_ALLOWED }, early: true, in: always(ask('quit', 'idle')) }],
  ['XCLIENT', trusted('xclient', false)],
  ['XREMOTEIP', trusted('xremoteip', true)],
  ['XSETCONTEXT', trusted('xsetcontext', false)],
  ['XDUMPCONTEXT', trusted('xdumpcontext', false)],
  [
    'STARTTLS',
    {
      argument: { none: NO_PARAMETERS_ALLOWED },
      early: false,
      in: {
        start: ask('starttls', 'tls'),
        ready: ask('starttls', 'tls'),
        mail: say(OUT_OF_PLACE),
        rcpt: say(OUT_OF_PLACE),
        chunks: say(OUT_OF_PLACE),
      },
    },
  ],
  [
    'AUTH',
    {
      argument: 'any',
      early: false,
      // RFC 4954 §4: not within a transaction.
      in: {
        start: ask('auth', 'idle'),
        ready: ask('auth', 'idle'),
        mail: say(OUT_OF_PLACE),
        rcpt: say(OUT_OF_PLACE),
        chunks: say(OUT_OF_PLACE),
      },
    },
  ],
  ['NOOP', answer(reply(250, '2.0.0', 'OK'), true)],
  ['HELP', answer(reply(214, '2.0.0', 'EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP'), true)],
  ['VRFY', answer(reply(252, '2.1.5', 'not verified: send mail to find out'), false)],
  ...['EXPN', 'ETRN', 'TURN', 'SEND', 'SOML', 'SAML', 'BDAT'].map((verb): [string, Command] => [
    verb,
    answer(NOT_IMPLEMENTED, false),
  ]),
]);

export const serverReplies = {
  lineTooLong: reply(500, '5.5.2', 'line too long'),
  bareLineFeed: reply(500, '5.5.2', 'bare LF in a pipelined command'),
  unknownCommand: reply(500, '5.5.2', 'unrecognized command'),
  greetingNeeded: reply(550, '5.5.1', 'RFC2821 HELO/EHLO needed'),
  badEhlo: reply(501, '5.5.2', 'invalid EHLO'),
  badHelo: reply(501, '5.5.2', 'invalid HELO'),
  badSender: reply(501, '5.5.2', 'MAIL FROM syntax error'),
  badRecipient: reply(501, '5.5.2', 'RCPT TO syntax error'),
  noUtf8: reply(553, '5.6.7', 'address beyond ASCII, and MAIL FROM without SMTPUTF8'),
  badChunk: reply(501, '5.5.4', 'BDAT syntax error'),
  chunkFirst: reply(503, '5.5.1', 'BDAT without MAIL FROM'),
  chunkUnaddressed: reply(503, '5.5.1', 'BDAT without RCPT TO'),
  notImplemented: NOT_IMPLEMENTED,
  badSequence: OUT_OF_PLACE,
  startTlsInjection: reply(421, '4.7.0', 'protocol deviation: commands behind STARTTLS'),
  tooManyBadCommands: reply(421, '4.7.0', 'too many bad commands'),
  dataTooEarly: reply(421, '4.5.0', 'protocol deviation: data before the 354'),
} as const;

/** RFC 5321 §4.5.3.1.4 raised: octets of a command line with its line end. */
export function lineLimit(verb: string): number {
  switch (verb) {
    case 'MAIL':
    case 'RCPT':
      return 4096;
    case 'AUTH':
      return 12288;
    default:
      return 2048;
  }
}
