import type { CredentialStores, ExchangeStores, StoreAddress } from '../../auth/index.ts';
import type { SendingKeys } from '../desk.ts';

/** Who logs in with an API key as password, in any case of letters (spec http-api 3: Send via SMTP). */
const KEY_USER = 'smtp_injection';

/**
 * Where a conversation of AUTH asks. Behind `apikey://` stand the keys of HTTP: the user is `SMTP_Injection`, the password a
 * key that may send mail, and may be used from there.
 *
 * @param ip  of the client
 */
export function storesFor(
  store: StoreAddress,
  { stores, keys }: { readonly stores: CredentialStores; readonly keys?: SendingKeys },
  ip: string,
): ExchangeStores {
  if (store.scheme !== 'apikey' || keys === undefined) return stores;
  return {
    async verdict(_, user, password) {
      const found = await keys.find(password, ip);
      if (found === 'unavailable') return found;
      return found?.maySend === true && user.toLowerCase() === KEY_USER ? 'right' : 'wrong';
    },
    password: (...words) => stores.password(...words),
    digest: (...words) => stores.digest(...words),
    scram: (...words) => stores.scram(...words),
  };
}
