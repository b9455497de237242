import type { Millis } from '../base/index.ts';
import type { TokenVerdict } from './bearer.ts';
import { textOf } from './secrets.ts';
import type { TokenParameters } from './token-parameters.ts';

/** What a token must be worth. */
export type TokenDemands = Pick<TokenParameters, 'userClaims' | 'scopes' | 'audience'>;

export type Introspected =
  /** `expires` undefined: the endpoint does not say. `why` of a wrong one is for operators. */
  | {
      readonly kind: 'judged';
      readonly verdict: TokenVerdict;
      readonly expires: number | undefined;
      readonly why?: string;
    }
  /** This is no answer to the question. */
  | { readonly kind: 'garbage'; readonly why: string };

/** The fields and the body of a question (RFC 7662 §2.1). */
export function introspectionRequest(
  token: string,
  clientId: string | undefined,
  secret: string | undefined,
): { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array } {
  const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  if (clientId !== undefined && secret === undefined) form.set('client_id', clientId);
  // RFC 6749 §2.3.1: each of the two is a form value first.
  else if (clientId !== undefined && secret !== undefined)
    headers.authorization = `Basic ${Buffer.from(`${formValue(clientId)}:${formValue(secret)}`).toString('base64')}`;
  return { headers, body: Buffer.from(form.toString()) };
}

const formValue = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

/**
 * What an answer means (RFC 7662 §2.2).
 *
 * @param now  wall clock
 */
export function readIntrospection(bytes: Uint8Array, demands: TokenDemands, now: Millis): Introspected {
  const claims = claimsOf(bytes);
  if (claims === undefined) return { kind: 'garbage', why: 'no JSON object' };
  const { active, exp } = claims;
  if (typeof active !== 'boolean') return { kind: 'garbage', why: 'no active in it' };
  if (!active) return wrong(undefined);
  if (exp !== undefined && (typeof exp !== 'number' || !(exp >= 0)))
    return { kind: 'garbage', why: 'an exp that is no time' };
  const expires = exp === undefined ? undefined : exp * 1000;
  if (expires !== undefined && expires <= now) return wrong('it is over');
  if (!usable(claims)) return wrong('it is no bearer token for access');
  if (demands.audience !== undefined && !words(claims.aud).includes(demands.audience))
    return wrong(`it is not for ${demands.audience}`);
  const scopes = words(claims.scope).flatMap((word) => word.split(' '));
  const { scopes: wanted } = demands;
  if (!wanted.every((scope) => scopes.includes(scope)))
    return {
      kind: 'judged',
      verdict: { kind: 'wrong', why: 'insufficient_scope', scopes: wanted },
      expires,
      why: `its scope lacks ${wanted.filter((scope) => !scopes.includes(scope)).join(' ')}`,
    };
  const user = demands.userClaims.map((name) => own(claims, name)).find((value) => value !== undefined);
  if (typeof user !== 'string' || user === '' || user.length > MOST_NAME)
    return wrong(`it names no user by ${demands.userClaims.join(' or ')}`);
  return { kind: 'judged', verdict: { kind: 'right', user }, expires };
}

/** Characters of a name: contexts and logs have room for no more. */
const MOST_NAME = 255;

type Claims = Readonly<Record<string, unknown>>;

function claimsOf(bytes: Uint8Array): Claims | undefined {
  try {
    const value: unknown = JSON.parse(textOf(bytes) ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Refresh tokens are not for us, and one that is bound to a key (RFC 8705, RFC 9449) is worth nothing from somebody who
 * has not shown that he has the key.
 */
function usable({ token_type: type, token_use: use, cnf }: Claims): boolean {
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer') return false;
  return (use === undefined || use === 'access_token') && cnf === undefined;
}

const words = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');

/** Not what every object has. */
const own = (claims: Claims, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);

const wrong = (why: string | undefined): Introspected => ({
  kind: 'judged',
  verdict: { kind: 'wrong', why: 'invalid_token', scopes: [] },
  expires: undefined,
  ...(why === undefined ? {} : { why }),
});
