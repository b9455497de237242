import {
  type Denied,
  MOST_RESPONSE,
  malformed,
  type ServerStep,
  type TokenMechanismName,
  unavailable,
} from './mechanism.ts';
import { saslname } from './scram.ts';
import { textOf } from './secrets.ts';

/** What an access token is worth. */
export type TokenVerdict =
  | { readonly kind: 'right'; readonly user: string }
  | {
      readonly kind: 'wrong';
      readonly why: 'invalid_token' | 'insufficient_scope';
      /** What a token needs. */
      readonly scopes: readonly string[];
    }
  | { readonly kind: 'unavailable' };

export type TokenStep =
  | Extract<ServerStep, { readonly kind: 'challenge' | 'granted' | 'denied' }>
  | {
      readonly kind: 'token wanted';
      readonly token: string;
      answered(verdict: TokenVerdict): TokenStep;
    };

/** The server's end of a mechanism with tokens. Whatever the client says to the bytes of `denied`, it is over then. */
export interface TokenMechanism {
  readonly name: TokenMechanismName;
  begin(initial: Uint8Array | undefined): TokenStep;
  respond(response: Uint8Array): TokenStep;
}

/** XOAUTH2, as Google has published it, and OAUTHBEARER (RFC 7628): one response, and a challenge that says why not. */
export function bearerServer(name: TokenMechanismName): TokenMechanism {
  const read = name === 'XOAUTH2' ? readXoauth2 : readOauthBearer;
  const judged = (bytes: Uint8Array): TokenStep => {
    const said = bytes.length > MOST_RESPONSE ? undefined : read(textOf(bytes) ?? '');
    if (said === undefined) return malformed();
    const { user, token } = said;
    return {
      kind: 'token wanted',
      token,
      answered(verdict) {
        if (verdict.kind === 'unavailable') return user === undefined ? NOBODY : unavailable(user);
        if (verdict.kind === 'wrong') return refused(name, user, verdict.why, verdict.scopes);
        // Who has a token may use it for himself only.
        if (user !== undefined && user !== verdict.user) return refused(name, user, 'invalid_token', []);
        return { kind: 'granted', user: verdict.user };
      },
    };
  };
  return {
    name,
    begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: new Uint8Array(0) } : judged(initial)),
    respond: judged,
  };
}

const NOBODY: Denied = { kind: 'denied', user: undefined, why: 'unavailable' };

interface Said {
  readonly user: string | undefined;
  readonly token: string;
}

/** `user=ann^Aauth=Bearer TOKEN^A^A` */
function readXoauth2(text: string): Said | undefined {
  const [, user, auth] = /^user=([^\x01]+)\x01auth=([^\x01]*)\x01\x01$/.exec(text) ?? [];
  const token = tokenOf(auth);
  return token === undefined ? undefined : { user, token };
}

/** `n,a=ann,^Ahost=…^Aport=…^Aauth=Bearer TOKEN^A^A` (RFC 7628 §3.1): who wants to be named, and fields in any order. */
function readOauthBearer(text: string): Said | undefined {
  // `p=…` would bind the channel, which is not offered.
  const [, as, rest] = /^[ny],(?:a=([^,\x01]*))?,\x01((?:[A-Za-z]+=[^\x01]*\x01)*)\x01$/.exec(text) ?? [];
  const auths = (rest ?? '').split('\x01').filter((field) => /^auth=/i.test(field));
  const token = auths.length === 1 ? tokenOf(auths[0]?.slice('auth='.length)) : undefined;
  if (token === undefined) return undefined;
  if (as === undefined) return { user: undefined, token };
  const user = saslname(as);
  return user === undefined ? undefined : { user, token };
}

/** The b64token of RFC 6750 §2.1. */
const tokenOf = (auth: string | undefined): string | undefined =>
  /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(auth ?? '')?.[1];

/** The words of RFC 7628 §3.2.2; those of XOAUTH2 are only known by what Google sends. */
function refused(
  name: TokenMechanismName,
  user: string | undefined,
  why: Extract<TokenVerdict, { kind: 'wrong' }>['why'],
  scopes: readonly string[],
): Denied {
  const scope = scopes.length === 0 ? {} : { scope: scopes.join(' ') };
  const words = name === 'XOAUTH2' ? { status: '401', schemes: 'bearer', ...scope } : { status: why, ...scope };
  return { kind: 'denied', user, why: 'credentials', bytes: Buffer.from(JSON.stringify(words)) };
}
