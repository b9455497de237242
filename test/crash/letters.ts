import { crc32 } from 'node:zlib';
import type { Chance } from './chance.ts';

/** What is to become of a recipient, as its local part says to the sink. */
export type Fate = 'ok' | 'later' | 'no';

/** One message of a trial. */
export interface Letter {
  /** Unique: `ROUND-NUMBER`. */
  readonly id: string;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** With CRLF line ends, without the dots of SMTP. */
  readonly text: string;
}

export const fateOf = (recipient: string): Fate => {
  const fate = recipient.slice(0, recipient.indexOf('-'));
  return fate === 'later' || fate === 'no' ? fate : 'ok';
};

/** The id in a recipient or a sender of ours. */
export const idIn = (path: string): string => /^[a-z]+-(\d+-\d+)[-@]/.exec(path)?.[1] ?? '';

/** Bodies longer than `Large_Message_Threshold` of the trials have a file of their own. */
export const LARGE_BYTES = 65_536;

export function letter(round: number, number: number, chance: Chance): Letter {
  const id = `${round}-${number}`;
  const count = chance.next() < 0.15 ? 2 + chance.below(3) : 1;
  const recipients = Array.from({ length: count }, (_, i) => `${fate(chance)}-${id}-${i}@d${chance.below(5)}.test`);
  const body = bodyOf(lengthOf(chance), number);
  const text = [
    'Date: Tue, 03 Mar 2026 10:00:00 +0000',
    'From: <ann@origin.test>',
    `Message-ID: <${id}@crash.test>`,
    `X-Sum: ${crc32(body)}`,
    '',
    body,
  ].join('\r\n');
  return { id, reversePath: `back-${id}@origin.test`, recipients, text };
}

/** @returns what the header says about the body, and what it is */
export function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const said = /^X-Sum: (\d+)\r$/m.exec(text.slice(0, end + 2))?.[1];
  return said === undefined || Number(said) === crc32(Buffer.from(text.slice(end + 4), 'latin1'));
}

function fate(chance: Chance): Fate {
  const drawn = chance.next();
  return drawn < 0.88 ? 'ok' : drawn < 0.95 ? 'later' : 'no';
}

/** Mostly small, some of many batches' size, a few in files of their own. */
function lengthOf(chance: Chance): number {
  const drawn = chance.next();
  if (drawn < 0.03) return LARGE_BYTES + chance.below(4 * LARGE_BYTES);
  if (drawn < 0.1) return 10_000 + chance.below(40_000);
  return chance.below(5000);
}

/** Lines that begin with dots are part of it. */
function bodyOf(length: number, number: number): string {
  const line = `${number % 7 === 0 ? '.' : ''}${String(number).repeat(20).slice(0, 76)}\r\n`;
  return line.repeat(Math.ceil(length / line.length));
}
