import type { Extensions } from './client-events.ts';

/**
 * @param lines  the texts of an EHLO reply without their codes; the first names the peer
 * @param pipelining  false: not used although offered
 */
export function readExtensions(lines: readonly string[], pipelining: boolean): Extensions {
  const keywords = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const blank = line.indexOf(' ');
    const keyword = (blank === -1 ? line : line.slice(0, blank)).toUpperCase();
    if (keyword !== '') keywords.set(keyword, blank === -1 ? '' : line.slice(blank + 1).trim());
  }
  const size = keywords.get('SIZE');
  return {
    pipelining: pipelining && keywords.has('PIPELINING'),
    size: size === undefined ? undefined : /^[0-9]{1,15}$/.test(size) ? Number(size) : 0,
    keywords,
  };
}
