import type { RawValue } from '../option.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { spelling } from '../schema/spelling.ts';
import type { Stanza } from './stanza.ts';

/**
 * A whole tree as XML: `<config>` holds `<scope type="" name="">` and `<option name="">`; the latter has text, or an
 * `<item>` for each item of an array, with a `key` in a dictionary. An anonymous scope has no `name`. As in files, what
 * is built in is left out, and the children of a scope stand before its options.
 */
export function treeXml(tree: Stanza): string {
  const lines: string[] = [];
  contents(tree, '  ', lines);
  const body = lines.length === 0 ? '<config/>\n' : `<config>\n${lines.join('\n')}\n</config>\n`;
  // XML 1.0 cannot hold most control characters, not even by number.
  const version = body.includes('&#x') && CONTROL_REFERENCE.test(body) ? '1.1' : '1.0';
  return `<?xml version="${version}" encoding="UTF-8"?>\n${body}`;
}

const CONTROL_REFERENCE = /&#x(?!9;|a;|d;)[0-9a-f]+;/;

function contents(stanza: Stanza, indent: string, into: string[]): void {
  for (const ofType of stanza.children.values()) {
    for (const child of ofType.values()) {
      const from = into.length;
      const name = child.written === undefined ? '' : ` name="${escaped(child.written)}"`;
      into.push(`${indent}<scope type="${spelling(child.type)}"${name}>`);
      contents(child, `${indent}  `, into);
      if (into.length > from + 1) into.push(`${indent}</scope>`);
      else if (child.at.file === BUILT_IN.file) into.length = from;
      else into[from] = `${indent}<scope type="${spelling(child.type)}"${name}/>`;
    }
  }
  for (const { entry, value, at } of stanza.options.values()) {
    if (at.file !== BUILT_IN.file)
      into.push(`${indent}<option name="${spelling(entry.name)}">${valueXml(value)}</option>`);
  }
}

function valueXml(value: RawValue): string {
  switch (value.kind) {
    case 'text':
      return escaped(value.text);
    case 'array':
      return value.items.map((item) => `<item>${escaped(item.text)}</item>`).join('');
    case 'dictionary':
      return value.entries.map((entry) => `<item key="${escaped(entry.key)}">${valueXml(entry.value)}</item>`).join('');
  }
}

/** Line ends and tabs by number, so that readers do not make blanks of them. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"]/g, (char) => ENTITIES.get(char) ?? char)
    .replace(/[\x01-\x1f\x7f-\x9f\u2028]/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`)
    .replace(/[\ufffe\uffff]/g, '\ufffd');
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
