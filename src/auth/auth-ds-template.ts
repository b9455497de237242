import { nearest } from '../base/index.ts';
import { ValueError } from '../config/index.ts';
import type { LoginAttempt } from './named-scheme.ts';

const NAMES = ['username', 'password', 'crypt', 'nonce', 'realm', 'digest-uri', 'uri'] as const;
export type TemplateName = (typeof NAMES)[number];

/** A text in which `%{username}` and its like are filled in. */
export interface Template {
  readonly names: ReadonlySet<TemplateName>;
  fill(attempt: LoginAttempt): string;
}

/** @throws ValueError when it has a name that is none */
export function readTemplate(text: string): Template {
  const names = new Set<TemplateName>();
  for (const [, name = ''] of text.matchAll(MARK)) {
    const known = NAMES.find((each) => each === name);
    if (known === undefined) {
      const meant = nearest(name, NAMES);
      throw new ValueError(
        `one of %{${NAMES.join('}, %{')}}; '%{${name}}' is none${meant === undefined ? '' : `, did you mean %{${meant}}?`}`,
      );
    }
    names.add(known);
  }
  return {
    names,
    // One pass: what is put in is never looked at again.
    fill: (attempt) => text.replace(MARK, (_, name: TemplateName) => valueIn(name, attempt)),
  };
}

const MARK = /%\{([^}]*)\}/g;

function valueIn(name: TemplateName, attempt: LoginAttempt): string {
  switch (name) {
    case 'username':
      return attempt.user;
    case 'password':
      return attempt.password;
    case 'crypt':
      return attempt.crypt;
    case 'nonce':
      return attempt.nonce;
    case 'realm':
      return attempt.realm;
    case 'digest-uri':
      return attempt.digestUri;
    case 'uri':
      return attempt.uri;
  }
}
