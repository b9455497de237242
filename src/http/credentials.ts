import type { View } from '../config/index.ts';

/**
 * Users with passwords, as the configuration of a listener names them (AuthPlainParameters, AuthDigestMD5Parameters).
 * Declared here and implemented by who has the stores.
 */
export interface Credentials {
  /** Which of the two the listener of a View has a store for; `realm` undefined when the listener's own holds. */
  offers(view: View): { readonly basic: boolean; readonly digest: { readonly realm: string | undefined } | undefined };
  /** Whether this is the password of the user. */
  check(view: View, user: string, password: string): Promise<'right' | 'wrong' | 'unavailable'>;
  /**
   * MD5(user:realm:password) in hex. For a user whom nobody knows something that looks like it and never fits, so that
   * both take the same time.
   */
  digest(view: View, user: string, realm: string): Promise<{ readonly secret: string } | 'unavailable'>;
}

/** Without stores only API keys can show who somebody is. */
export const noCredentials: Credentials = {
  offers: () => ({ basic: false, digest: undefined }),
  check: () => Promise.resolve('unavailable'),
  digest: () => Promise.resolve('unavailable'),
};
