import { type Reply, reply } from './reply.ts';

/** `KEY` or `KEY=value` behind a path (RFC 5321 §4.1.2). */
export interface Parameter {
  /** Upper case. */
  readonly key: string;
  readonly value: string | undefined;
}

export type Parameters = readonly Parameter[];

export const NO_PARAMETERS: Parameters = [];

/**
 * @param from  index of the blank in front of the first parameter
 * @returns undefined when they are not written as RFC 5321 §4.1.2 wants, or a key stands twice
 */
export function parseParameters(line: string, from: number, end: number): Parameters | undefined {
  const found: Parameter[] = [];
  for (let at = from; at < end; ) {
    if (line.charCodeAt(at) !== 32) return undefined;
    const blank = line.indexOf(' ', at + 1);
    const stop = blank === -1 || blank > end ? end : blank;
    const written = line.slice(at + 1, stop);
    const parts = /^([a-z0-9][a-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?$/i.exec(written);
    const key = parts?.[1]?.toUpperCase();
    if (key === undefined || found.some((other) => other.key === key)) return undefined;
    found.push({ key, value: parts?.[2] });
    at = stop;
  }
  return found;
}

const TOO_LARGE = reply(552, '5.3.4', 'message size limit exceeded');
const BAD_PARAMETER = reply(501, '5.5.4', 'invalid parameter');
const UNKNOWN_PARAMETER = reply(555, '5.5.4', 'unsupported parameter');

/**
 * Judges MAIL's parameters: SIZE (RFC 1870) and BODY (RFC 6152).
 *
 * @param maxMessageSize  bytes, 0 for no limit
 * @returns the refusal, undefined when they are all right
 */
export function judgeMailParameters(parameters: Parameters, maxMessageSize: number): Reply | undefined {
  for (const { key, value } of parameters) {
    if (key === 'SIZE') {
      if (value === undefined || !/^[0-9]{1,20}$/.test(value)) return BAD_PARAMETER;
      if (maxMessageSize > 0 && Number(value) > maxMessageSize) return TOO_LARGE;
    } else if (key === 'BODY') {
      if (value === undefined || !/^(?:7BIT|8BITMIME)$/i.test(value)) return BAD_PARAMETER;
    } else {
      return UNKNOWN_PARAMETER;
    }
  }
  return undefined;
}

/** RCPT has no parameters before DSN (RFC 3461) is offered. */
export function judgeRecipientParameters(parameters: Parameters): Reply | undefined {
  return parameters.length === 0 ? undefined : UNKNOWN_PARAMETER;
}
