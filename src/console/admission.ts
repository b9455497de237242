import {
  type AuthParameters,
  authDigestMd5Parameters,
  authLoginParameters,
  authScramSha256Parameters,
  enableAuthentication,
  forcedOutcome,
  type MechanismName,
} from '../auth/index.ts';
import type { Endpoint } from '../base/index.ts';
import type { Generation, Option, Place, View } from '../config/index.ts';

/** How a client comes in. */
export type Admission =
  /** Without a login; over a Unix socket it is asked which user of the system it is. */
  | { readonly kind: 'open' }
  | { readonly kind: 'login'; readonly offers: readonly Offer[] }
  /** `denied`: an attempt to log in that has failed. */
  | { readonly kind: 'refused'; readonly why: string; readonly denied: boolean };

export interface Offer {
  readonly mechanism: MechanismName;
  readonly parameters: AuthParameters;
}

/** Strongest first: a client takes the first that it knows. */
const OFFERED: readonly (readonly [MechanismName, Option<AuthParameters | undefined>])[] = [
  ['SCRAM-SHA-256', authScramSha256Parameters],
  ['DIGEST-MD5', authDigestMd5Parameters],
  ['LOGIN', authLoginParameters],
];

export const AUTHORIZATION_REQUIRED = 'Authorization required for console session';

/**
 * Whether a client may come in, and what it must show first (manual page control-auth).
 *
 * `Enable_Authentication` decides. Where it is not set, a login is wanted when parameters for one are: over TCP those of
 * the whole listener count, for a Unix socket only those of its own `Listen` or `Peer`, as in the manual's examples.
 *
 * @param view  what holds for the client
 */
export function admission(view: View, endpoint: Endpoint): Admission {
  const forced = forcedOutcome(view);
  if (forced === 'denied') return { kind: 'refused', why: AUTHORIZATION_REQUIRED, denied: true };
  if (forced === 'granted') return { kind: 'open' };
  const offers = OFFERED.flatMap(([mechanism, option]) => {
    const parameters = view.get(option);
    const here = endpoint.kind === 'tcp' || view.get(enableAuthentication) === true || isOwn(view, option);
    return parameters === undefined || !here ? [] : [{ mechanism, parameters }];
  });
  const wanted = view.get(enableAuthentication) ?? offers.length > 0;
  if (wanted && offers.length > 0) return { kind: 'login', offers };
  const trouble = wanted ? NO_PARAMETERS : openTrouble(endpoint);
  return trouble === undefined ? { kind: 'open' } : { kind: 'refused', why: trouble, denied: false };
}

/** About one Listen stanza. */
export interface ConsoleWarning {
  readonly place: Place;
  readonly text: string;
}

/**
 * What the operator should know about the consoles of a configuration: those that nobody can use, and those that
 * anybody on this machine can. (Clients for whom a `Peer` says otherwise are not judged.)
 */
export function consoleWarnings(generation: Pick<Generation, 'listens'>): readonly ConsoleWarning[] {
  const found: ConsoleWarning[] = [];
  for (const { listener, endpoint, place, view } of generation.listens()) {
    if (listener !== 'control_listener') continue;
    const way = admission(view, endpoint);
    const at = endpoint.kind === 'unix' ? endpoint.path : `${endpoint.ip}:${endpoint.port}`;
    if (way.kind === 'refused' && !way.denied) found.push({ place, text: `Control_Listener ${at}: ${way.why}` });
    else if (way.kind === 'open' && endpoint.kind === 'tcp')
      found.push({
        place,
        text: `Control_Listener ${at}: every user of this machine may run commands there, since nobody must log in`,
      });
    else if (way.kind === 'login' && endpoint.kind === 'tcp' && !isLoopback(endpoint.ip))
      for (const { mechanism } of way.offers)
        if (mechanism === 'LOGIN')
          found.push({ place, text: `Control_Listener ${at}: LOGIN sends passwords in clear over the network` });
  }
  return found;
}

const NO_PARAMETERS =
  'Enable_Authentication is set and no way to log in is: AuthScramSha256Parameters, AuthDigestMD5Parameters or AuthLoginParameters';

const openTrouble = (endpoint: Endpoint): string | undefined =>
  endpoint.kind === 'unix' || isLoopback(endpoint.ip)
    ? undefined
    : 'a console that others can reach needs a login: set Enable_Authentication and AuthDigestMD5Parameters';

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

/** Whether the value stands in a Listen or a Peer, and not in the whole listener. */
const isOwn = (view: View, option: Option<unknown>): boolean => /:(?:listen|peer):/.test(view.owner(option).key);
