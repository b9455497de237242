import { type BindingName, bindingName, domainOfPath, isBeyondAscii, type Millis } from '../../base/index.ts';
import type { Generation } from '../../config/index.ts';
import { type ContextValues, NO_VALUES } from '../../ecstream/index.ts';
import { type PathRules, parsePathArgument, type Reply, reply } from '../../smtp/index.ts';
import { allowIpLiteral } from '../options.ts';
import { replies } from '../replies.ts';
import type { Settings } from '../settings.ts';
import { DEDUP_VARIABLE } from './dedup.ts';

/** What is said about addresses and variables of a message that came by ECStream (spec ecstream 4). */
export const parcelReplies = {
  badSender: reply(553, '5.1.7', 'this is no address'),
  badRecipient: reply(553, '5.1.3', 'this is no address'),
  nonAscii: reply(553, '5.6.7', 'addresses beyond ASCII need SMTPUTF8'),
  tooManyRecipients: reply(452, '4.5.3', 'too many recipients'),
  reserved: reply(501, '5.5.4', 'names that begin with # are reserved'),
  contextTooLong: reply(501, '5.5.4', 'the context is too long'),
  badKey: reply(501, '5.5.4', 'ec_dedup takes 16 to 64 bytes'),
  noBinding: reply(501, '5.5.4', 'ec_binding names no binding'),
  badTime: reply(501, '5.5.4', 'ec_expiry and ec_not_before take seconds since 1970, of the message'),
  expired: reply(501, '5.5.4', 'ec_expiry is over already'),
  damaged: reply(451, '4.3.0', 'the sum of the body is wrong'),
} as const;

/** Characters of all names and values of a message together: they are kept as long as it waits. */
const MOST_CONTEXT = 65_536;

/**
 * @param address its bytes as Latin-1 characters
 * @param utf8 the message has the flag for addresses beyond ASCII
 * @returns the path with its domain, or why it is none
 */
export function pathOf(
  address: string,
  nullPath: boolean,
  rules: PathRules,
  domain: string,
  settings: Settings,
  utf8: boolean,
): string | Reply {
  if (address === '' && nullPath) return '';
  if (isBeyondAscii(address) && !(utf8 && rules.utf8)) return parcelReplies.nonAscii;
  const parsed = parsePathArgument(`<${address}>`, 0, nullPath, rules);
  // Source routes, blanks and whatever would stand behind a bracket are nothing that an address needs here.
  if (parsed === undefined || parsed.path !== address)
    return nullPath ? parcelReplies.badSender : parcelReplies.badRecipient;
  const path = address.includes('@') ? address : `${address}@${domain}`;
  if (path.endsWith(']') && !settings.view.get(allowIpLiteral)) return replies.noValidDomain;
  return domainOfPath(path) === undefined ? replies.noValidDomain : path;
}

/** @returns why these variables cannot be had */
export function contextTrouble(values: ContextValues): Reply | undefined {
  if (values === NO_VALUES) return undefined;
  let length = 0;
  for (const name in values) {
    if (name.startsWith('#')) return parcelReplies.reserved;
    length += name.length + (values[name] ?? '').length;
  }
  if (length > MOST_CONTEXT) return parcelReplies.contextTooLong;
  const key = values[DEDUP_VARIABLE];
  if (key === undefined) return undefined;
  const bytes = Buffer.byteLength(key);
  return bytes < 16 || bytes > 64 ? parcelReplies.badKey : undefined;
}

/** @param date since the epoch @returns why the times that a message wishes for cannot be had */
export function timesTrouble(
  { ec_expiry: expiry, ec_not_before: notBefore }: ContextValues,
  date: Millis,
): Reply | undefined {
  for (const value of [expiry, notBefore])
    if (value !== undefined && !/^[0-9]{1,11}$/.test(value)) return parcelReplies.badTime;
  return expiry !== undefined && Number(expiry) * 1000 <= date ? parcelReplies.expired : undefined;
}

/** @returns why the variables of one recipient cannot be had: times are for the message as a whole */
export const recipientContextTrouble = (values: ContextValues): Reply | undefined =>
  'ec_expiry' in values || 'ec_not_before' in values ? parcelReplies.badTime : contextTrouble(values);

/** @returns the binding that `ec_binding` names, undefined without one, or why there is none */
export function bindingIn(values: ContextValues, generation: Generation): BindingName | undefined | Reply {
  const name = values.ec_binding;
  if (name === undefined) return undefined;
  const wanted = bindingName(name);
  return generation.bindings().some((binding) => binding.name === wanted) ? wanted : parcelReplies.noBinding;
}
