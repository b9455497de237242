import { Lru, type Millis, millis } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock, Disk, Web, WebRequest } from '../world/index.ts';
import type { TokenVerdict } from './bearer.ts';
import { CredentialsError } from './credential-lines.ts';
import { type Introspected, introspectionRequest, readIntrospection } from './introspection.ts';
import { sha256 } from './secrets.ts';
import type { TokenParameters } from './token-parameters.ts';
import { WatchedFile } from './watched-file.ts';

export interface TokensParts {
  readonly web: Pick<Web, 'send'>;
  readonly clock: Pick<Clock, 'now' | 'date'>;
  readonly disk: Pick<Disk, 'status' | 'read'>;
  readonly events: Pick<Events, 'diagnose'>;
}

const MOST_KEPT = 10_000;
/** Questions to one endpoint under way; more logins than that at one moment are turned away as `unavailable`. */
const MOST_UNDER_WAY = 500;
/** A token that was refused may have been asked about too early. */
const WRONG_MILLIS = 3_000;
const MOST_BYTES = 65_536;
const MOST_FILES = 20;
/** One line about the same trouble in so long. */
const TELL_MILLIS = 60_000;
const MOST_TOLD = 100;

const CODE = 'IMP_INTROSPECTION';

interface Kept {
  readonly verdict: TokenVerdict;
  /** Wall clock. */
  readonly expires: number | undefined;
}

const UNAVAILABLE: TokenVerdict = { kind: 'unavailable' };

/** Asks introspection endpoints about access tokens, and remembers for a while what they said. Never rejects. */
export class Tokens {
  readonly #parts: TokensParts;
  /** By a hash: a token is as good as a password. */
  readonly #kept = new Lru<string, Kept>(MOST_KEPT);
  readonly #underWay = new Map<string, Promise<TokenVerdict>>();
  /** By endpoint: one that is slow does not keep others from being asked. */
  readonly #asking = new Map<string, number>();
  readonly #files = new Lru<string, WatchedFile<string>>(MOST_FILES);
  readonly #told = new Lru<string, true>(MOST_TOLD);

  constructor(parts: TokensParts) {
    this.#parts = parts;
  }

  async check(parameters: TokenParameters, token: string): Promise<TokenVerdict> {
    const { clock } = this.#parts;
    const key = keyOf(parameters, token);
    const kept = this.#kept.get(key, clock.now());
    if (kept !== undefined && (kept.expires === undefined || kept.expires > clock.date())) return kept.verdict;
    const coming = this.#underWay.get(key);
    if (coming !== undefined) return coming;
    if ((this.#asking.get(parameters.uri) ?? 0) >= MOST_UNDER_WAY)
      return this.#unavailable(parameters, `more than ${MOST_UNDER_WAY} questions are under way`);
    this.#count(parameters.uri, 1);
    const asking = this.#ask(parameters, token, key).finally(() => {
      this.#underWay.delete(key);
      this.#count(parameters.uri, -1);
    });
    this.#underWay.set(key, asking);
    return asking;
  }

  #count(uri: string, by: number): void {
    const count = (this.#asking.get(uri) ?? 0) + by;
    if (count > 0) this.#asking.set(uri, count);
    else this.#asking.delete(uri);
  }

  async #ask(parameters: TokenParameters, token: string, key: string): Promise<TokenVerdict> {
    const { clock, web } = this.#parts;
    const { uri, clientId, clientSecret, cacheMillis, timeoutMillis } = parameters;
    const secret =
      typeof clientSecret === 'object' ? await this.#file('secret', clientSecret.file, firstLine) : clientSecret;
    const authorities = await this.#authorities(parameters);
    if (authorities === undefined || (clientSecret !== undefined && secret === undefined)) return UNAVAILABLE;
    const reply = await web.send(
      { method: 'POST', url: uri, authorities, ...introspectionRequest(token, clientId, secret) },
      { timeoutMillis, mostBytes: MOST_BYTES },
    );
    if (reply.kind === 'failed') return this.#unavailable(parameters, reply.why);
    if (reply.status !== 200) return this.#unavailable(parameters, `status ${reply.status}`);
    const said = readIntrospection(reply.bytes, parameters, clock.date());
    if (said.kind === 'garbage') return this.#unavailable(parameters, said.why);
    if (said.why !== undefined) this.#tell(parameters, 'WARNING', `a token was refused: ${said.why}`);
    this.#keep(key, said, cacheMillis);
    return said.verdict;
  }

  #keep(key: string, { verdict, expires }: Extract<Introspected, { kind: 'judged' }>, cacheMillis: Millis): void {
    const life = verdict.kind === 'right' ? cacheMillis : Math.min(cacheMillis, WRONG_MILLIS);
    if (life > 0) this.#kept.set(key, { verdict, expires }, millis(this.#parts.clock.now() + life));
  }

  async #authorities({ authorities, verify }: TokenParameters): Promise<WebRequest['authorities'] | undefined> {
    if (!verify) return 'unverified';
    if (authorities === undefined) return 'public';
    const bundle = await this.#file('authorities', authorities, (text) => text);
    return bundle === undefined ? undefined : Buffer.from(bundle);
  }

  #file(what: 'secret' | 'authorities', path: string, read: (text: string) => string): Promise<string | undefined> {
    const key = `${what} ${path}`;
    const known = this.#files.get(key);
    if (known !== undefined) return known.content();
    const { disk, clock, events } = this.#parts;
    const complain = ({ code, message }: CredentialsError): void =>
      events.diagnose(
        'ERROR',
        'auth',
        `${code} ${path}: ${message}; no access token can be checked until it is mended`,
      );
    const file = new WatchedFile(path, read, { disk, clock, complain });
    this.#files.set(key, file);
    return file.content();
  }

  #unavailable(parameters: TokenParameters, why: string): TokenVerdict {
    this.#tell(parameters, 'ERROR', `it cannot be asked about access tokens: ${why}`);
    return UNAVAILABLE;
  }

  #tell({ uri }: TokenParameters, level: 'ERROR' | 'WARNING', text: string): void {
    const now = this.#parts.clock.now();
    const kind = `${uri} ${text}`;
    if (this.#told.get(kind, now) === true) return;
    this.#told.set(kind, true, millis(now + TELL_MILLIS));
    this.#parts.events.diagnose(level, 'auth', `${CODE} ${uri}: ${text}`);
  }
}

function keyOf({ uri, clientId, userClaims, scopes, audience }: TokenParameters, token: string): string {
  return sha256(JSON.stringify([uri, clientId, userClaims, scopes, audience, token])).toString('base64');
}

function firstLine(text: string): string {
  const line = (text.split(/\r?\n/, 1)[0] ?? '').trim();
  if (line === '') throw new CredentialsError('its first line is empty');
  return line;
}
