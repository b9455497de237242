import { isBeyondAscii } from '../base/index.ts';
import { hasParameter } from './asks.ts';
import { readAuthArgument } from './auth-lines.ts';
import { judgeMailParameters, judgeRecipientParameters } from './parameters.ts';
import { parsePathArgument } from './path.ts';
import type { Reply } from './reply.ts';
import type { ServerEvent, ServerSettings } from './server-events.ts';
import { type Command, type Question, serverReplies } from './server-table.ts';

/** A command line that is in place, and what is known of its session. */
export interface CommandLine {
  /** Of the event that it makes. */
  readonly turn: number;
  readonly asks: Question['asks'];
  readonly command: Command;
  readonly line: string;
  /** Index of the argument. */
  readonly from: number;
  /** The transaction's MAIL had SMTPUTF8. */
  readonly utf8: boolean;
  readonly settings: ServerSettings;
}

/** What stands behind the verb of a command. @returns what the client did, or why that is no such command */
export function readArgument(given: CommandLine): ServerEvent | Reply {
  const { turn, asks, command, line, from } = given;
  switch (asks) {
    case 'ehlo':
    case 'helo': {
      const name = line.slice(from).trim();
      if (!isName(name)) return asks === 'ehlo' ? serverReplies.badEhlo : serverReplies.badHelo;
      return { turn, kind: asks, name, line };
    }
    case 'mail':
    case 'rcpt':
      return readPath(given, asks);
    case 'data':
    case 'rset':
    case 'quit':
    case 'starttls':
      // RFC 5321 §4.1.1: blanks at the end are to be tolerated.
      if (typeof command.argument === 'object' && line.slice(from).trim() !== '') return command.argument.none;
      return { turn, kind: asks };
    case 'auth': {
      const argument = readAuthArgument(line.slice(from));
      if ('code' in argument) return argument;
      return { turn, kind: 'auth', mechanism: argument.mechanism, initial: argument.initial };
    }
    case 'xclient':
    case 'xremoteip':
    case 'xsetcontext':
    case 'xdumpcontext':
      return { turn, kind: asks, argument: line.slice(from).trim() };
    // No verb asks these.
    case 'connect':
    case 'bdat':
    case 'end-of-data':
      return serverReplies.badSequence;
  }
}

function readPath(
  { turn, line, from, utf8: known, settings }: CommandLine,
  kind: 'mail' | 'rcpt',
): ServerEvent | Reply {
  const mail = kind === 'mail';
  const prefix = mail ? 'FROM:' : 'TO:';
  const at = from + prefix.length;
  const { senderPaths, recipientPaths, maxMessageSize, offers } = settings;
  const argument =
    line.slice(from, at).toUpperCase() === prefix
      ? parsePathArgument(line, at, mail, mail ? senderPaths : recipientPaths)
      : undefined;
  if (argument === undefined) return mail ? serverReplies.badSender : serverReplies.badRecipient;
  const { path, parameters } = argument;
  const utf8 = mail ? hasParameter(parameters, 'SMTPUTF8') : known;
  const trouble =
    (mail
      ? judgeMailParameters(parameters, maxMessageSize, offers)
      : judgeRecipientParameters(parameters, offers, utf8)) ??
    (!utf8 && isBeyondAscii(path) ? serverReplies.noUtf8 : undefined);
  return trouble ?? { turn, kind, path, parameters, line };
}

/** EHLO's argument is often no domain at all (RFC 5321 §4.1.4: not a reason to refuse), but it goes into header and logs. */
const isName = (name: string): boolean => /^[\x21-\x7e]{1,255}$/.test(name);
