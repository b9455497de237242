import { alwaysAllow, alwaysDeny, enableAuthentication, type GuessBrake } from '../auth/index.ts';
import type { View } from '../config/index.ts';
import type { Chance, Clock, PeerCertificate } from '../world/index.ts';
import { type Refusal, refusal } from './answer.ts';
import type { ApiKeys } from './api-keys.ts';
import { type Claim, readAuthorization } from './authorization.ts';
import type { Credentials } from './credentials.ts';
import { DigestNonces, type DigestVerdict, quoted } from './digest.ts';
import type { Principal } from './grants.ts';
import { Guesses } from './guesses.ts';
import { tlsVerifiedPeerIsAuthorized } from './options.ts';
import type { Access } from './route.ts';

export interface AuthenticationParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly keys: Pick<ApiKeys, 'find'>;
  readonly credentials: Credentials;
  /** Counts wrong passwords. */
  readonly brake: GuessBrake;
  /** The realm when no parameters name one. */
  readonly hostName: () => string;
}

/** What of a request decides on who may make it. */
export interface Asked {
  readonly access: Access;
  readonly view: View;
  readonly ip: string;
  /** Verified. */
  readonly certificate: PeerCertificate | undefined;
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
}

type Admission = { readonly kind: 'in'; readonly principal: Principal } | Refusal;

const ANONYMOUS: Admission = { kind: 'in', principal: { kind: 'anonymous' } };
const TRUSTED: Admission = { kind: 'in', principal: { kind: 'trusted' } };

/** Always_Deny shuts everybody out, also of what is public and of what does not exist. */
export const deniedAltogether = (view: View): Refusal | undefined =>
  view.get(alwaysDeny) ? refusal('1100', 'this address is not served here') : undefined;

/**
 * Who makes a request, and whether they may. In Momentum's order: Always_Deny, Always_Allow, then Enable_Authentication,
 * for which an API key with the grant is as good as a login, and so is a verified certificate. Under /api/v1 only a key counts.
 */
export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #nonces: DigestNonces;
  readonly #guesses: Guesses;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#nonces = new DigestNonces(parts.clock, parts.chance);
    this.#guesses = new Guesses(parts);
  }

  async admit(asked: Asked): Promise<Admission> {
    const { access, view, ip } = asked;
    const denied = deniedAltogether(view);
    if (denied !== undefined) return denied;
    if (access.kind === 'public') return ANONYMOUS;
    if (view.get(alwaysAllow)) return TRUSTED;
    const claim = readAuthorization(asked.authorization);
    if (claim.kind === 'key') {
      const key = await this.#parts.keys.find(claim.key, ip);
      if (key === 'unavailable') return UNAVAILABLE;
      if (key === undefined) return this.#guesses.unknownKey(ip) ?? this.#unauthorized(asked, false);
      const { id, label, grants } = key;
      if (!grants.includes(access.grant)) return refusal('1100', `this key has no grant ${access.grant}`);
      return { kind: 'in', principal: { kind: 'key', id, label, grants: new Set(grants) } };
    }
    // Whoever names a key is held to its grants.
    if (access.kind === 'listener' && asked.certificate !== undefined && view.get(tlsVerifiedPeerIsAuthorized))
      return { kind: 'in', principal: { kind: 'certificate', subject: asked.certificate.subject } };
    const mustLogIn = access.kind === 'key' || view.get(enableAuthentication) === true;
    if (access.kind === 'key' || claim.kind === 'none' || claim.kind === 'unknown')
      return mustLogIn ? this.#unauthorized(asked, false) : ANONYMOUS;
    return this.#logIn(asked, claim, mustLogIn);
  }

  async #logIn(
    asked: Asked,
    claim: Extract<Claim, { kind: 'password' | 'digest' }>,
    mustLogIn: boolean,
  ): Promise<Admission> {
    const { view, method, target } = asked;
    const { credentials } = this.#parts;
    const offers = credentials.offers(view);
    const unserved = claim.kind === 'password' ? !offers.basic : offers.digest === undefined;
    if (unserved) return mustLogIn ? this.#unauthorized(asked, false) : ANONYMOUS;
    if (claim.kind === 'password') {
      const { user, password } = claim;
      return this.#judged(asked, user, password, () => credentials.check(view, user, password));
    }
    const realm = this.#realm(view);
    const name = claim.fields.get('username') ?? '';
    if (name === '' || claim.fields.get('realm') !== realm) return this.#unauthorized(asked, false);
    return this.#judged(asked, name, claim.fields.get('nonce') ?? '', async () => {
      const found = await credentials.digest(view, name, realm);
      return found === 'unavailable' ? found : this.#nonces.verdict(claim.fields, found.secret, method, target);
    });
  }

  async #judged(
    asked: Asked,
    name: string,
    proof: string,
    check: () => Promise<DigestVerdict | 'unavailable'>,
  ): Promise<Admission> {
    const verdict = await this.#guesses.passes({ ip: asked.ip, user: name, proof }, check);
    switch (verdict) {
      case 'right':
        return { kind: 'in', principal: { kind: 'user', name } };
      case 'unavailable':
        return UNAVAILABLE;
      case 'wrong':
      case 'stale':
        return this.#unauthorized(asked, verdict === 'stale');
      default:
        return verdict;
    }
  }

  #realm(view: View): string {
    return this.#parts.credentials.offers(view).digest?.realm ?? this.#parts.hostName();
  }

  /** RFC 9110 11.6.1: each way that would do. */
  #unauthorized({ access, view }: Asked, stale: boolean): Refusal {
    const offers = this.#parts.credentials.offers(view);
    const realm = this.#realm(view);
    const ways = [
      ...(access.kind === 'listener' && offers.digest !== undefined ? [this.#nonces.challenge(realm, stale)] : []),
      ...(access.kind === 'listener' && offers.basic ? [`Basic realm=${quoted(realm)}, charset="UTF-8"`] : []),
      `Bearer realm=${quoted(realm)}`,
    ];
    const how = access.kind === 'listener' && ways.length > 1 ? 'a login or an API key' : 'an API key';
    return refusal('1100', `${how} is needed, and none that is known was given`, {
      status: 401,
      message: 'Unauthorized.',
      headers: { 'www-authenticate': ways.join(', ') },
    });
  }
}

const UNAVAILABLE = refusal('1502', 'logins and keys cannot be checked at the moment', {
  headers: { 'retry-after': '30' },
});
