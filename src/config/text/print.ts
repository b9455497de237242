import type { RawValue } from '../option.ts';
import type { Item } from './items.ts';
import { isBareWord } from './lexer.ts';

/** A text that is read back as itself. A word that was typed without quotes stays so. */
export function textOf(text: string, quoted: boolean): string {
  // A ; at the end of a value is refused, since it is nearly always meant as a terminator.
  return !quoted && isBareWord(text) && !text.endsWith(';') ? text : quote(text);
}

export function quote(text: string): string {
  return `"${text.replace(/[\\"\n\r\t]/g, (char) => ESCAPES.get(char) ?? char)}"`;
}

/** A value as it can stand in a file. */
export function valueText(value: RawValue): string {
  switch (value.kind) {
    case 'text':
      return textOf(value.text, value.quoted);
    case 'array':
      return value.items.length === 0 ? '( )' : `( ${value.items.map((item) => listed(item.text)).join(' ')} )`;
    case 'dictionary':
      return value.entries.length === 0
        ? '[ ]'
        : `[ ${value.entries.map((entry) => `${listed(entry.key)} = ${entry.value.kind === 'text' ? listed(entry.value.text, entry.value.quoted) : valueText(entry.value)}`).join(' ')} ]`;
  }
}

/** Items as a file, each on its line. */
export function printItems(items: readonly Item[], indent = ''): string {
  let out = '';
  for (const item of items) {
    switch (item.kind) {
      case 'option':
        out += `${indent}${item.name} = ${valueText(item.value)}\n`;
        break;
      case 'include':
        out += `${indent}${item.readOnly ? 'readonly_include' : 'include'} ${quote(item.path)}\n`;
        break;
      case 'stanza':
        out += `${indent}${item.name}${item.instance === undefined ? '' : ` ${quote(item.instance)}`} {\n`;
        out += `${printItems(item.items, `${indent}  `)}${indent}}\n`;
        break;
    }
  }
  return out;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['"', '\\"'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** Inside brackets a comma separates, so a word that holds one needs quotes. */
function listed(text: string, quoted = false): string {
  return !quoted && isBareWord(text) && !text.includes(',') ? text : quote(text);
}
