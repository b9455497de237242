import type { Generation, Place } from '../config/index.ts';
import { authOauthBearerParameters, authXoauth2Parameters } from './token-parameters.ts';

/** Where tokens, or the secret that we show, can be read by others. Nothing breaks by it. */
export function tokenWarnings(
  generation: Pick<Generation, 'settings'>,
): readonly { readonly place: Place; readonly text: string }[] {
  const found: { place: Place; text: string }[] = [];
  for (const option of [authXoauth2Parameters, authOauthBearerParameters]) {
    for (const stanza of generation.settings([option])) {
      const place = stanza.placeOf(option);
      const parameters = place === undefined ? undefined : stanza.get(option);
      if (place === undefined || parameters === undefined) continue;
      const { uri, verify } = parameters;
      const { protocol, hostname, host } = new URL(uri);
      if (protocol === 'http:' && !LOOPBACK.test(hostname))
        found.push({ place, text: `access tokens go to ${host} unencrypted: https is meant (RFC 7662)` });
      if (protocol === 'https:' && !verify)
        found.push({
          place,
          text: `verify = false: whoever stands between here and ${host} sees access tokens, and lets anybody in`,
        });
    }
  }
  return found;
}

const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;
