import type { Generation, Place } from '../config/index.ts';
import type { MechanismOption } from './auth-ds-check.ts';

/** Listeners through which no mail comes, or which take keys as they are. */
const NOT_FOR_KEYS: readonly string[] = ['control_listener', 'http_listener'];
const ELSEWHERE =
  'apikey:// is for clients that send mail by SMTP or ECStream (HTTP takes keys without it): every login by it is answered as unavailable';

/** `apikey://` where nobody looks for keys. */
export function keyWarnings(
  generation: Pick<Generation, 'settings'>,
  listeners: readonly MechanismOption[],
): readonly { readonly place: Place; readonly text: string }[] {
  return listeners.flatMap(({ option }) =>
    generation.settings([option]).flatMap((stanza) => {
      const place = stanza.placeOf(option);
      if (place === undefined || stanza.get(option)?.store.scheme !== 'apikey') return [];
      return stanza.path.some(({ type }) => NOT_FOR_KEYS.includes(type)) ? [{ place, text: ELSEWHERE }] : [];
    }),
  );
}
