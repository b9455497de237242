import { isUtf8Bytes } from '../base/index.ts';
import { isEnvid, isOrcpt, isRet, readNotify } from './dsn-parameters.ts';
import { type Reply, reply } from './reply.ts';
import { decodeXtext } from './xtext.ts';

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
    const parts = /^([a-z0-9][a-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\x80-\xff]+))?$/i.exec(written);
    const key = parts?.[1]?.toUpperCase();
    if (key === undefined || !isUtf8Bytes(written) || found.some((other) => other.key === key)) return undefined;
    found.push({ key, value: parts?.[2] });
    at = stop;
  }
  return found;
}

const TOO_LARGE = reply(552, '5.3.4', 'message size limit exceeded');
const BAD_PARAMETER = reply(501, '5.5.4', 'invalid parameter');
const UNKNOWN_PARAMETER = reply(555, '5.5.4', 'unsupported parameter');

/** The extensions that bring parameters, of those that a session may be offered. */
export interface Offers {
  readonly smtpUtf8: boolean;
  readonly dsn: boolean;
  readonly chunking: boolean;
  /** With `chunking` only (RFC 3030 §3). */
  readonly binaryMime: boolean;
  /** AUTH= at MAIL (RFC 4954 §5): taken, and not passed on, since nobody is trusted to speak for others. */
  readonly auth: boolean;
}

export const NO_OFFERS: Offers = { smtpUtf8: false, dsn: false, chunking: false, binaryMime: false, auth: false };

/**
 * Judges MAIL's parameters: SIZE (RFC 1870), BODY (RFC 6152, 3030), RET and ENVID (RFC 3461), SMTPUTF8 (RFC 6531),
 * AUTH (RFC 4954).
 *
 * @param maxMessageSize  bytes, 0 for no limit
 * @returns the refusal, undefined when they are all right
 */
export function judgeMailParameters(parameters: Parameters, maxMessageSize: number, offers: Offers): Reply | undefined {
  for (const { key, value } of parameters) {
    switch (key) {
      case 'SIZE':
        if (value === undefined || !/^[0-9]{1,20}$/.test(value)) return BAD_PARAMETER;
        if (maxMessageSize > 0 && Number(value) > maxMessageSize) return TOO_LARGE;
        break;
      case 'BODY':
        if (value === undefined || !/^(?:7BIT|8BITMIME|BINARYMIME)$/i.test(value)) return BAD_PARAMETER;
        if (value.toUpperCase() === 'BINARYMIME' && !(offers.binaryMime && offers.chunking)) return BAD_PARAMETER;
        break;
      case 'SMTPUTF8':
        if (!offers.smtpUtf8) return UNKNOWN_PARAMETER;
        if (value !== undefined) return BAD_PARAMETER;
        break;
      case 'AUTH':
        if (!offers.auth) return UNKNOWN_PARAMETER;
        if (value === undefined || (value !== '<>' && decodeXtext(value) === undefined)) return BAD_PARAMETER;
        break;
      case 'RET':
      case 'ENVID':
        if (!offers.dsn) return UNKNOWN_PARAMETER;
        if (value === undefined || !(key === 'RET' ? isRet(value) : isEnvid(value))) return BAD_PARAMETER;
        break;
      default:
        return UNKNOWN_PARAMETER;
    }
  }
  return undefined;
}

/** RCPT's parameters are those of DSN (RFC 3461). @param utf8  MAIL has asked for SMTPUTF8 */
export function judgeRecipientParameters(parameters: Parameters, offers: Offers, utf8: boolean): Reply | undefined {
  for (const { key, value } of parameters) {
    if (!offers.dsn || (key !== 'NOTIFY' && key !== 'ORCPT')) return UNKNOWN_PARAMETER;
    if (value === undefined) return BAD_PARAMETER;
    if (key === 'NOTIFY' ? readNotify(value) === undefined : !isOrcpt(value, utf8)) return BAD_PARAMETER;
  }
  return undefined;
}
