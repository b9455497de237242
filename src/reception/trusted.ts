import type { Generation } from '../config/index.ts';
import { parsePairs, printable, type Reply, reply, type ServerEvent, type TrustedCommand } from '../smtp/index.ts';
import type { Variables } from './contexts.ts';
import type { Identity } from './identity.ts';
import { contextProtect } from './options.ts';
import { clientIp, parseXclient } from './xclient.ts';

/** Variables that a connection may have, when a client sets them: they are kept with each of its messages. */
export const MOST_VARIABLES = 500;

const trustedReplies = {
  badAttribute: reply(501, '5.5.4', 'invalid XCLIENT attribute'),
  badAddress: reply(501, '5.5.4', 'invalid XREMOTEIP address'),
  badPairs: reply(501, '5.5.4', 'invalid XSETCONTEXT, key=value expected'),
  protectedKey: reply(501, '5.5.4', 'protected context variable'),
  tooManyVariables: reply(452, '4.3.0', 'too many context variables'),
  parameters: reply(501, '5.5.4', 'Syntax error (no parameters allowed)'),
} as const;

const DONE = reply(250, '2.0.0', 'OK');

/**
 * Does what a trusted client says of whom it speaks for.
 *
 * @param variables  both contexts, for XDUMPCONTEXT
 * @returns the reply, undefined when the banner is it; `moved` when other settings may hold for the client now, and it
 *   is to be judged as if it had just connected
 */
export function obey(
  identity: Identity,
  { kind, argument }: Extract<ServerEvent, { kind: TrustedCommand }>,
  generation: Generation,
  variables: () => Variables,
): { readonly said: Reply | undefined; readonly moved: boolean } {
  switch (kind) {
    case 'xclient': {
      const said = xclient(identity, argument, generation);
      return { said, moved: said === undefined };
    }
    case 'xremoteip': {
      const trouble = xremoteip(identity, argument, generation);
      return { said: trouble ?? DONE, moved: trouble === undefined };
    }
    case 'xsetcontext':
      return { said: xsetcontext(identity, argument) ?? DONE, moved: false };
    case 'xdumpcontext':
      return { said: xdumpcontext(argument, variables()), moved: false };
  }
}

const BEGINS_ANEW = ['ehlo_string', 'ehlo_domain', 'auth_name', 'auth_user', 'auth_status', 'xclient_name'];

/**
 * XCLIENT: the client is the one that a proxy describes, and the session is as after its connect. What is not said of the
 * greeting and the login is not known; the addresses stay as they are.
 *
 * @returns the refusal, undefined when it is done
 * @see XCLIENT_README of Postfix
 */
function xclient(identity: Identity, argument: string, generation: Generation): Reply | undefined {
  const facts = parseXclient(argument);
  if (facts === undefined) return trustedReplies.badAttribute;
  const { client } = identity;
  const { connectionContext, peer, local } = client;
  for (const key of BEGINS_ANEW) delete connectionContext[key];
  client.login = undefined;
  const [name, helo, login] = [facts.get('NAME'), facts.get('HELO'), facts.get('LOGIN')];
  if (name !== undefined) connectionContext.xclient_name = name;
  client.helo = helo ?? '';
  client.extended = facts.get('PROTO') === 'ESMTP';
  if (helo !== undefined) {
    connectionContext.ehlo_domain = helo;
    connectionContext.ehlo_string = `${client.extended ? 'EHLO' : 'HELO'} ${helo}`;
  }
  if (login !== undefined)
    Object.assign(connectionContext, { auth_name: 'XCLIENT', auth_user: login, auth_status: 'pass' });
  const destination = { ip: facts.get('DESTADDR') ?? local.ip, port: numberOr(facts.get('DESTPORT'), local.port) };
  if (facts.get('DESTADDR') !== undefined || (facts.get('DESTPORT') !== undefined && local.ip !== ''))
    client.reached = destination;
  const ip = facts.get('ADDR');
  const port = facts.has('PORT') ? numberOr(facts.get('PORT'), 0) : ip === undefined ? peer.port : 0;
  identity.become(
    ip === undefined && (port === peer.port || peer.ip === '') ? peer : { ip: ip ?? peer.ip, port },
    generation,
  );
  return undefined;
}

const numberOr = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number(text);

/** XREMOTEIP: another address, and what comes of it. The greeting, a login and the transaction stay. */
function xremoteip(identity: Identity, argument: string, generation: Generation): Reply | undefined {
  const ip = clientIp(argument);
  if (ip === undefined) return trustedReplies.badAddress;
  identity.become({ ip, port: identity.client.peer.port }, generation);
  return undefined;
}

/** XSETCONTEXT: variables of the connection, all of them or none. */
function xsetcontext(identity: Identity, argument: string): Reply | undefined {
  const pairs = parsePairs(argument);
  if (pairs === undefined) return trustedReplies.badPairs;
  const { connectionContext } = identity.client;
  const safe = identity.ownView.get(contextProtect);
  if (pairs.some(({ key }) => INTERNAL.test(key) || (safe && PROTECTED.test(key)))) return trustedReplies.protectedKey;
  const keys = new Set([...Object.keys(connectionContext), ...pairs.map(({ key }) => key)]);
  if (keys.size > MOST_VARIABLES) return trustedReplies.tooManyVariables;
  for (const { key, value } of pairs) connectionContext[key] = value;
  return undefined;
}

/** Momentum's own, which policy may not write either. */
const INTERNAL = /^(?:#|__proto__$)/;
/** By these a client could let itself relay. */
const PROTECTED = /^(?:can_relay$|auth_|tls)/i;

/** XDUMPCONTEXT: both contexts, each variable in a line of its own. */
function xdumpcontext(argument: string, { connection, message }: Variables): Reply {
  if (argument !== '') return trustedReplies.parameters;
  const lines = (scope: string, variables: Readonly<Record<string, string>>): string[] =>
    Object.entries(variables).map(([key, value]) => printable(`[${scope}] ${key} ${value}`));
  const text = [...lines('connection', connection), ...lines('message', message), 'XDUMPCONTEXT complete'];
  return reply(250, undefined, text.join('\n'));
}
