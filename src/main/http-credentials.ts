import { authDigestMd5Parameters, authPlainParameters, type CredentialStores } from '../auth/index.ts';
import type { ApiKeys, Credentials } from '../http/index.ts';
import type { SendingKeys } from '../reception/index.ts';

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

/** API keys as logins of those who send mail (spec http-api 3: Send via SMTP). */
export const sendingKeys = (keys: Pick<ApiKeys, 'find'>): SendingKeys => ({
  async find(secret, ip) {
    const key = await keys.find(secret, ip);
    return typeof key !== 'object' ? key : { id: key.id, maySend: key.grants.includes('smtp/inject') };
  },
});
