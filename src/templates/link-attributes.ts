/**
 * `data-msys-…` tells how a link is tracked, and is not for the reader: it is taken out of tags of HTML, and in plain text
 * out of the `[[data-msys-…]]` behind a URL.
 */
export function withoutLinkAttributes(text: string, place: string): string {
  if (!text.includes('data-msys-')) return text;
  if (place === 'html' || place === 'amp_html') return withoutAttributes(text);
  return place === 'text' ? text.replace(BRACKETS, '') : text;
}

/** Linear: each tag is looked at once, and what has no end within reach is no tag and is left alone. */
function withoutAttributes(html: string): string {
  let out = '';
  let at = 0;
  for (let open = html.indexOf('<'); open !== -1; open = html.indexOf('<', at)) {
    const last = Math.min(html.length, open + LONGEST_TAG);
    const close = endOfTag(html, open, last);
    const tag = html.slice(open, close);
    out += html.slice(at, open) + (close < last && tag.includes('data-msys-') ? tag.replace(ATTRIBUTE, '') : tag);
    at = close;
  }
  return out + html.slice(at);
}

const LONGEST_TAG = 16_384;

/** @returns where its `>` stands; `last` when there is none */
function endOfTag(html: string, open: number, last: number): number {
  let quote = '';
  for (let at = open + 1; at < last; at++) {
    const sign = html[at] ?? '';
    if (quote !== '') {
      if (sign === quote) quote = '';
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '>') return at;
  }
  return last;
}

const ATTRIBUTE =
  /\sdata-msys-(?:linkname|unsubscribe|clicktrack|sublink)(?:\s{0,20}=\s{0,20}(?:"[^"]{0,500}"|'[^']{0,500}'|[^\s"'>]{1,500}))?/g;
const BRACKETS =
  /\[\[data-msys-(?:linkname|unsubscribe|clicktrack|sublink)="[^"\]\n]{0,200}"(?:\s[^\]\n]{0,400})?\]\]/g;
