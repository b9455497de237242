import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type Endpoint, parseEndpoint } from '../base/index.ts';
import type { Process } from '../world/index.ts';

/** Exit code for words that make no sense (spec: consoles and programs). */
export const USAGE = 2;

/** A command that speaks through `process` and never ends it: read it with `understood`. */
export function commandNamed(name: string, summary: string, process: Process): Command {
  return new Command(name)
    .description(summary)
    .exitOverride()
    .allowExcessArguments(false)
    .showHelpAfterError(`(impetus ${name.replace(/^impetus /, '')} --help explains every option)`)
    .configureOutput({ writeOut: (text) => process.say(text), writeErr: (text) => process.complain(text) });
}

/** @returns undefined when the command is ready to run, else the exit code: help was asked for, or the words are wrong */
export function understood(command: Command, words: readonly string[]): number | undefined {
  try {
    command.parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
}

/** @returns reads a whole number within limits; `k` and `M` stand for 1024 and its square where `units` is true */
export function wholeNumber(least: number, most: number, units = false): (text: string) => number {
  return (text) => {
    const parts = (units ? /^(\d{1,12})([kKmM]?)$/ : /^(\d{1,12})()$/).exec(text);
    const factor = parts?.[2] === '' ? 1 : parts?.[2]?.toLowerCase() === 'k' ? 1024 : 1024 * 1024;
    const value = Number(parts?.[1]) * factor;
    if (parts !== null && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is wanted.`);
  };
}

/** As in the configuration, and `localhost:2525` too. */
export function endpoint(text: string): Endpoint {
  const at = parseEndpoint(text.replace(/^localhost:/i, '127.0.0.1:'));
  if (at.kind === 'error') throw new InvalidArgumentError(`Write HOST:PORT or the path of a Unix socket: ${at.text}.`);
  return at;
}

/** A mail address as it may stand in a command: RFC 5321 is the server's business, but nothing may break out of the line. */
export function mailbox(text: string): string {
  const bare = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
  if (/[\x00-\x1f\x7f<>]/.test(bare) || bare.length > 512) throw new InvalidArgumentError('That is no mail address.');
  if (/[^\x00-\x7f]/.test(bare))
    throw new InvalidArgumentError('Only ASCII addresses can be sent: SMTPUTF8 is not spoken here.');
  return bare;
}
