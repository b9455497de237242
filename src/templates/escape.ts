/** How `{{ }}` writes a value: for the eyes of HTML, for a URL, or as it is. */
export type Escape = 'html' | 'url' | 'none';

export function escaped(text: string, how: Escape): string {
  switch (how) {
    case 'none':
      return text;
    case 'html':
      return HTML.test(text) ? text.replace(/[&<>"'/]/g, (sign) => ENTITIES[sign] ?? sign) : text;
    case 'url':
      return inUrl(text);
  }
}

const HTML = /[&<>"'/]/;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '/': '&#x2F;',
};

/** Everything but unreserved characters (RFC 3986 2.3) as percent escapes of its UTF-8. */
function inUrl(text: string): string {
  if (UNRESERVED.test(text)) return text;
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;

/**
 * Follows literal text: are we inside a URL that a literal `http://` or `https://` began? A scheme that comes out of a
 * variable is not seen, and a quotation mark, a blank or an angle bracket ends it.
 */
export class UrlWatch {
  inside = false;

  see(literal: string): void {
    if (literal === '') return;
    let from = literal.length;
    while (from > 0 && !ENDS_URL.has(literal.charCodeAt(from - 1))) from--;
    if (from > 0) this.inside = false;
    if (!this.inside) this.inside = SCHEME.test(literal.slice(from));
  }
}

const ENDS_URL: ReadonlySet<number> = new Set([...' \t\r\n\f\v\u00a0"\'<>'].map((sign) => sign.charCodeAt(0)));
const SCHEME = /https?:\/\//i;
