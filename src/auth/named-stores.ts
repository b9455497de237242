import { Gate } from './gate.ts';
import type { Found, MechanismName, Verdict } from './mechanism.ts';
import type { FindScheme, LoginAttempt, Offered, SchemeAnswer, StoredType } from './named-scheme.ts';
import { typesFor } from './scheme-fit.ts';
import { readScram, type ScramSecret } from './scram-secret.ts';
import { sameSecret } from './secrets.ts';
import { clearText, fitsStored, isCrypted } from './stored-password.ts';

/** A secret, or the store's own verdict on what was offered. */
export type Looked = Found<string> | { readonly kind: 'judged'; readonly verdict: 'right' | 'wrong' };

export interface NamedStoresParts {
  readonly find: FindScheme;
  /** @returns undefined when too much is under way */
  fitsScram(user: string, password: string, secret: ScramSecret): Promise<boolean | undefined>;
  /** Gives the loop to others. */
  turn(): Promise<void>;
}

/** Logins that may wait for a comparison by crypt(3). */
const MOST_WAITING = 200;

/** Schemes as the mechanisms see them. What a scheme stores decides who can work with it. */
export class NamedStores {
  readonly #parts: NamedStoresParts;
  readonly #gate = new Gate(1, MOST_WAITING);
  /** What was compared last, for each scheme: one who is not known costs as much time as one who is. */
  readonly #like = new Map<string, { readonly type: StoredType; readonly text: string }>();

  constructor(parts: NamedStoresParts) {
    this.#parts = parts;
  }

  async verdict(name: string, attempt: LoginAttempt): Promise<Verdict> {
    const answer = await this.#ask(name, attempt);
    if (answer.kind === 'unavailable') return 'unavailable';
    if (answer.kind === 'judged') return answer.verdict;
    if (answer.kind === 'stored') {
      const { type, texts } = answer;
      return this.#inLine(type, texts, () => this.#compared(name, type, texts, attempt));
    }
    const like = this.#like.get(name);
    if (like === undefined) return 'wrong';
    const { type, text } = like;
    // It could be compared before: when it cannot now, too much is under way, for those who are known as well.
    return this.#inLine(type, [text], async () =>
      (await this.#fits(type, text, attempt)) === undefined ? 'unavailable' : 'wrong',
    );
  }

  /** What is slow waits for its turn: one login after the other, however many come at once. */
  async #inLine(type: StoredType, texts: readonly string[], work: () => Promise<Verdict>): Promise<Verdict> {
    if (!texts.some((text) => isCrypted(type, text))) return work();
    return (await this.#gate.run(work)) ?? 'unavailable';
  }

  async #compared(name: string, type: StoredType, texts: readonly string[], attempt: LoginAttempt): Promise<Verdict> {
    let known = false;
    for (const text of texts) {
      const right = await this.#fits(type, text, attempt);
      if (right === undefined) continue;
      this.#like.set(name, { type, text });
      if (right) return 'right';
      known = true;
    }
    // What is stored in no form that is known here says nothing of the password.
    return known ? 'wrong' : 'unavailable';
  }

  /** @returns a password in clear text, or a verdict on the response to a challenge */
  async password(name: string, attempt: LoginAttempt, decoy: string): Promise<Looked> {
    const answer = await this.#ask(name, attempt);
    switch (answer.kind) {
      case 'judged':
      case 'unavailable':
        return answer;
      case 'unknown':
        return { kind: 'unknown', decoy };
      case 'stored': {
        if (answer.type === 'hmac_md5') {
          const fits = answer.texts.some((text) => sameSecret(text.trim().toLowerCase(), attempt.password));
          return { kind: 'judged', verdict: fits ? 'right' : 'wrong' };
        }
        return first(answer, (text) => clearText(answer.type, text), decoy);
      }
    }
  }

  /** @returns what is stored as the mechanism's own kind of secret, or as a password to make it of */
  async secret(
    name: string,
    mechanism: MechanismName,
    attempt: LoginAttempt,
  ): Promise<
    | { readonly kind: 'unavailable' }
    | { readonly kind: 'unknown' }
    | { readonly kind: 'clear' | 'own'; readonly text: string }
  > {
    const answer = await this.#ask(name, attempt);
    // No verdict will do: the server has to prove something itself. The check of the configuration has said so.
    if (answer.kind === 'judged' || answer.kind === 'unavailable') return { kind: 'unavailable' };
    if (answer.kind === 'unknown') return answer;
    const [text] = answer.texts;
    if (text === undefined) return { kind: 'unknown' };
    const clear = clearText(answer.type, text);
    if (clear !== undefined) return { kind: 'clear', text: clear };
    return typesFor(mechanism).includes(answer.type) ? { kind: 'own', text: text.trim() } : { kind: 'unknown' };
  }

  async rolesOf(name: string, user: string, uri: string): Promise<readonly string[] | undefined> {
    return this.#parts.find(name)?.rolesOf(user, uri);
  }

  async roles(name: string, uri: string): Promise<readonly string[] | undefined> {
    return this.#parts.find(name)?.roles(uri);
  }

  async #fits(type: StoredType, text: string, attempt: LoginAttempt): Promise<boolean | undefined> {
    if (type !== 'scram-sha-256') return fitsStored(type, text, attempt.password, attempt, this.#parts.turn);
    const secret = readScram(text.trim());
    return secret && this.#parts.fitsScram(attempt.user, attempt.password, secret);
  }

  async #ask(name: string, attempt: LoginAttempt): Promise<SchemeAnswer> {
    return (await this.#parts.find(name)?.ask(attempt)) ?? { kind: 'unavailable' };
  }
}

/** For whoever asks without a conversation: a password in clear text, and nothing else. */
export const offeredClear = (password: string, realm = ''): Offered => ({
  crypt: 'clear',
  password,
  nonce: '',
  realm,
  digestUri: '',
});

function first(
  { texts }: Extract<SchemeAnswer, { kind: 'stored' }>,
  read: (text: string) => string | undefined,
  decoy: string,
): Found<string> {
  const secret = texts.map(read).find((text) => text !== undefined);
  return secret === undefined ? { kind: 'unknown', decoy } : { kind: 'known', secret };
}
