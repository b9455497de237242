import { Lru } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import type { Chance, Clock, Disk, Hashing } from '../world/index.ts';
import {
  type DigestLines,
  readDigests,
  readGroups,
  readPasswords,
  readScrams,
  readUserNames,
} from './credential-lines.ts';
import { Derivations } from './derivations.ts';
import { digestOf } from './digest-md5.ts';
import type { Found, Verdict } from './mechanism.ts';
import type { FindScheme, Offered } from './named-scheme.ts';
import { type Looked, NamedStores, offeredClear } from './named-stores.ts';
import { saslprep } from './saslprep.ts';
import { ITERATIONS, readScram, type ScramSecret } from './scram-secret.ts';
import { hex, hmacSha256, sameSecret } from './secrets.ts';
import { type StoreAddress, storeText } from './store-address.ts';
import { WatchedFile } from './watched-file.ts';

export interface CredentialStoreParts {
  readonly disk: Pick<Disk, 'status' | 'read'>;
  readonly clock: Pick<Clock, 'date' | 'defer'>;
  readonly chance: Pick<Chance, 'bytes'>;
  readonly hashing: Hashing;
  readonly events: Events;
  /** What stands behind `NAME://`; without it nothing does. */
  readonly schemes?: FindScheme;
}

/** Files that are known at once; one more, and that which was asked for longest ago is read again when it is needed. */
const MOST_FILES = 100;
/** Where the system's own users are listed. */
const SYSTEM_USERS = '/etc/passwd';

/**
 * All files with credentials, by their address. What cannot be read or understood answers `unavailable`, and is told
 * once in the paniclog; a file that is mended works again without a restart.
 */
export class CredentialStores {
  readonly #parts: CredentialStoreParts;
  readonly #files = new Lru<string, WatchedFile<unknown>>(MOST_FILES);
  readonly #derivations: Derivations;
  /** Decoys are made with it: the same for one user each time, and not to be told from a secret. */
  readonly #key: Uint8Array;
  readonly #named: NamedStores;

  constructor(parts: CredentialStoreParts) {
    this.#parts = parts;
    this.#key = parts.chance.bytes(32);
    this.#named = new NamedStores({
      fitsScram: (user, password, secret) => this.#derivations.fits(user, saslprep(password) ?? password, secret),
      find: parts.schemes ?? (() => undefined),
      turn: () => new Promise((resolve) => parts.clock.defer(resolve)),
    });
    this.#derivations = new Derivations(parts.hashing, parts.chance.bytes(32));
  }

  /** Whether a password in clear text is that of the user: LOGIN, PLAIN. */
  async verdict(store: StoreAddress, user: string, password: string, realm = ''): Promise<Verdict> {
    switch (store.scheme) {
      case 'named': {
        const attempt = { ...offeredClear(password, realm), user, uri: store.uri };
        return this.#named.verdict(store.name, attempt);
      }
      case 'file': {
        const found = await this.#password(store, user);
        if (found.kind === 'unavailable') return 'unavailable';
        const fits = sameSecret(password, found.kind === 'known' ? found.secret : found.decoy);
        return fits && found.kind === 'known' ? 'right' : 'wrong';
      }
      case 'digest': {
        const lines = await this.#content(store, readDigests);
        return lines === undefined ? 'unavailable' : this.#digestVerdict(lines, user, password);
      }
      case 'scram': {
        const found = await this.scram(store, user);
        if (found.kind === 'unavailable') return 'unavailable';
        const prepared = saslprep(password) ?? password;
        const secret = found.kind === 'known' ? found.secret : found.decoy;
        const fits = await this.#derivations.fits(user, prepared, secret);
        if (fits === undefined) return 'unavailable';
        return fits && found.kind === 'known' ? 'right' : 'wrong';
      }
      default:
        return 'unavailable';
    }
  }

  /** CRAM-MD5, and whatever else can be computed of it. */
  async password(store: StoreAddress, user: string, offered: Offered = offeredClear('')): Promise<Looked> {
    if (store.scheme !== 'named') return this.#password(store, user);
    return this.#named.password(store.name, { ...offered, user, uri: store.uri }, hex(this.#decoy('password', user)));
  }

  async #password(store: StoreAddress, user: string): Promise<Found<string>> {
    const passwords = store.scheme === 'file' ? await this.#content(store, readPasswords) : undefined;
    if (passwords === undefined) return { kind: 'unavailable' };
    const secret = passwords.get(user);
    return secret === undefined
      ? { kind: 'unknown', decoy: hex(this.#decoy('password', user)) }
      : { kind: 'known', secret };
  }

  /** DIGEST-MD5. */
  async digest(
    store: StoreAddress,
    user: string,
    realm: string,
    offered: Offered = offeredClear('', realm),
  ): Promise<Found<string>> {
    const decoy = (): Found<string> => ({
      kind: 'unknown',
      decoy: hex(this.#decoy('digest', `${user}:${realm}`).subarray(0, 16)),
    });
    if (store.scheme === 'named') {
      const found = await this.#named.secret(store.name, 'DIGEST-MD5', { ...offered, user, uri: store.uri });
      if (found.kind === 'unavailable') return { kind: 'unavailable' };
      if (found.kind === 'clear') return { kind: 'known', secret: digestOf(user, realm, found.text) };
      const sound = found.kind === 'own' && /^[0-9a-f]{32}$/i.test(found.text);
      return sound ? { kind: 'known', secret: found.text.toLowerCase() } : decoy();
    }
    if (store.scheme === 'file') {
      const found = await this.#password(store, user);
      if (found.kind === 'unavailable') return found;
      const digest = digestOf(user, realm, found.kind === 'known' ? found.secret : found.decoy);
      return found.kind === 'known' ? { kind: 'known', secret: digest } : { kind: 'unknown', decoy: digest };
    }
    const lines = store.scheme === 'digest' ? await this.#content(store, readDigests) : undefined;
    if (lines === undefined) return { kind: 'unavailable' };
    const secret = lines.get(user)?.get(realm);
    return secret === undefined ? decoy() : { kind: 'known', secret };
  }

  /** SCRAM-SHA-256. A password in clear text gets a salt that lasts as long as this process. */
  async scram(store: StoreAddress, user: string, realm = ''): Promise<Found<ScramSecret>> {
    if (store.scheme === 'named') {
      const attempt = { ...offeredClear('', realm), crypt: 'scram-sha-256', user, uri: store.uri } as const;
      const found = await this.#named.secret(store.name, 'SCRAM-SHA-256', attempt);
      if (found.kind === 'unavailable') return { kind: 'unavailable' };
      const own = found.kind === 'own' ? readScram(found.text) : undefined;
      if (own !== undefined) return { kind: 'known', secret: own };
      return this.#scramOf(user, found.kind === 'clear' ? found.text : undefined);
    }
    if (store.scheme === 'file') {
      const found = await this.#password(store, user);
      if (found.kind === 'unavailable') return found;
      return this.#scramOf(user, found.kind === 'known' ? found.secret : undefined);
    }
    const secrets = store.scheme === 'scram' ? await this.#content(store, readScrams) : undefined;
    if (secrets === undefined) return { kind: 'unavailable' };
    const secret = secrets.get(user);
    if (secret !== undefined) return { kind: 'known', secret };
    // Looks like the others: as many iterations and as long a salt as the first of them has.
    const [like] = secrets.values();
    return {
      kind: 'unknown',
      decoy: {
        iterations: like?.iterations ?? ITERATIONS.least,
        salt: this.#decoy('salt', user).subarray(0, Math.min(32, like?.salt.length ?? 16)),
        storedKey: this.#decoy('stored key', user),
        serverKey: this.#decoy('server key', user),
      },
    };
  }

  /** @param password  undefined for a user who is not known, and who looks like the others */
  async #scramOf(user: string, password: string | undefined): Promise<Found<ScramSecret>> {
    const text = password ?? hex(this.#decoy('password', user));
    const salt = this.#decoy('salt', user).subarray(0, 16);
    const secret = await this.#derivations.secret(user, saslprep(text) ?? text, salt, ITERATIONS.least);
    if (secret === undefined) return { kind: 'unavailable' };
    return password === undefined ? { kind: 'unknown', decoy: secret } : { kind: 'known', secret };
  }

  /** @returns the groups of a user, in the order of the file; undefined when nobody can say */
  async rolesOf(store: StoreAddress, user: string): Promise<readonly string[] | undefined> {
    if (store.scheme === 'named') return this.#named.rolesOf(store.name, user, store.uri);
    const groups = store.scheme === 'groups' ? await this.#content(store, readGroups) : undefined;
    return groups && [...groups].filter(([, users]) => users.has(user)).map(([group]) => group);
  }

  /** @returns all groups; undefined when nobody can say */
  async roles(store: StoreAddress): Promise<readonly string[] | undefined> {
    if (store.scheme === 'named') return this.#named.roles(store.name, store.uri);
    const groups = store.scheme === 'groups' ? await this.#content(store, readGroups) : undefined;
    return groups && [...groups.keys()];
  }

  /** @returns the name of a user of the system; `#1000` for a number that /etc/passwd does not know */
  async systemUser(number: number): Promise<string> {
    const names = await this.#file(SYSTEM_USERS, SYSTEM_USERS, readUserNames).content();
    return names?.get(number) ?? `#${number}`;
  }

  #digestVerdict(lines: DigestLines, user: string, password: string): Verdict {
    const realms = lines.get(user);
    if (realms === undefined) {
      sameSecret(digestOf(user, '', password), hex(this.#decoy('digest', user)));
      return 'wrong';
    }
    let right = false;
    for (const [realm, digest] of realms) right = sameSecret(digestOf(user, realm, password), digest) || right;
    return right ? 'right' : 'wrong';
  }

  #decoy(what: string, of: string): Buffer {
    return hmacSha256(this.#key, `${what}\0${of}`);
  }

  #content<T>(store: Extract<StoreAddress, { path: string }>, read: (text: string) => T): Promise<T | undefined> {
    return this.#file(storeText(store), store.path, read).content();
  }

  #file<T>(key: string, path: string, read: (text: string) => T): WatchedFile<T> {
    // One key is always read in one way: its scheme says how.
    const known = this.#files.get(key) as WatchedFile<T> | undefined;
    if (known !== undefined) return known;
    const { disk, clock, events } = this.#parts;
    const file = new WatchedFile(path, read, {
      disk,
      clock,
      complain: ({ code, message }) =>
        events.diagnose(
          'ERROR',
          'auth',
          `${code} ${key}: ${message}; nobody can be looked up there until it is mended`,
        ),
    });
    this.#files.set(key, file as WatchedFile<unknown>);
    return file;
  }
}
