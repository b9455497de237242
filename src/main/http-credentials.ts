import { authDigestMd5Parameters, authParameters, type CredentialStores } from '../auth/index.ts';
import { option, optional } from '../config/index.ts';
import type { Credentials } from '../http/index.ts';

/** HTTP Basic looks users up there: Momentum has no parameters of its own for it. */
export const authPlainParameters = option('authplainparameters', optional(authParameters('PLAIN')), {
  unservedIn: ['esmtp_listener', 'xmpp_listener', 'pathway', 'pathway_group'],
});

/** Logins of HTTP, by the stores that consoles and SMTP use too. */
export const httpCredentials = (stores: CredentialStores): Credentials => ({
  offers(view) {
    const digest = view.get(authDigestMd5Parameters);
    return { basic: view.get(authPlainParameters) !== undefined, digest: digest && { realm: digest.realm } };
  },
  async check(view, user, password) {
    const store = view.get(authPlainParameters)?.store;
    return store === undefined ? 'unavailable' : stores.verdict(store, user, password);
  },
  async digest(view, user, realm) {
    const store = view.get(authDigestMd5Parameters)?.store;
    const found = store === undefined ? undefined : await stores.digest(store, user, realm);
    if (found === undefined || found.kind === 'unavailable') return 'unavailable';
    return { secret: found.kind === 'known' ? found.secret : found.decoy };
  },
});
