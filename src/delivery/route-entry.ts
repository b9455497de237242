import { parseAddress } from '../base/index.ts';

/** One item of the `routes` option. */
export type RouteEntry =
  | { readonly kind: 'mx' }
  | {
      readonly kind: 'host';
      readonly host: string;
      readonly preference: number | undefined;
      readonly port: number | undefined;
      readonly ttlSeconds: number | undefined;
      /** `mx`: the host's own MX records are asked, `a`: its addresses. */
      readonly type: 'mx' | 'a';
    };

/**
 * `host`, an address, `[v6]`, `__mx__`, or `smtp://host?pref=P&ttl=T&port=O&type=mx|a`.
 * @returns undefined when it is none of them
 * @see spec/delivery 7.1, manual page routes
 */
export function readRouteEntry(text: string): RouteEntry | undefined {
  if (text.toLowerCase() === '__mx__') return { kind: 'mx' };
  const form = /^(?:([a-z]+):\/\/)?(\[[^\]]+\]|[^\s?/:[\]]+)(?::([0-9]+))?\/?(?:\?(.*))?$/i.exec(text);
  if (form === null || (form[1] !== undefined && !['smtp', 'esmtp', 'lmtp'].includes(form[1].toLowerCase())))
    return undefined;
  const settings = new URLSearchParams(form[4] ?? '');
  const number = (word: string | null | undefined, most: number): number | undefined => {
    const value = word !== null && word !== undefined && /^[0-9]+$/.test(word) ? Number(word) : undefined;
    return value !== undefined && value <= most ? value : undefined;
  };
  const bare = (form[2] ?? '').replace(/^\[|\]$/g, '');
  return {
    kind: 'host',
    host: parseAddress(bare) ?? bare.toLowerCase(),
    preference: number(settings.get('pref'), 65535),
    port: number(settings.get('port') ?? form[3], 65535),
    ttlSeconds: number(settings.get('ttl'), 2 ** 31),
    type: settings.get('type')?.toLowerCase() === 'mx' ? 'mx' : 'a',
  };
}
