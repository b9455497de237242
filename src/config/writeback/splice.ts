import type { RawValue } from '../option.ts';
import { valueText } from '../text/print.ts';
import type { OptionSpan, StanzaSpan } from '../text/spans.ts';
import { treeLines } from '../tree/print-tree.ts';
import type { Stanza } from '../tree/stanza.ts';

/** Characters of a text that others take the place of. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with all splices done. Removals may overlap; what is put in at one offset keeps its order. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let out = '';
  let at = 0;
  // An insertion stands before a removal that begins at the same offset.
  const inOrder = splices
    .map((splice, index) => ({ ...splice, index }))
    .sort((one, other) => one.start - other.start || one.end - other.end || one.index - other.index);
  for (const { start, end, text: put } of inOrder) {
    if (start > at) out += text.slice(at, start);
    out += put;
    at = Math.max(at, end);
  }
  return out + text.slice(at);
}

/** Another value for an option, with all around it as it was. */
export function replacement(text: string, span: OptionSpan, value: RawValue): Splice {
  const put = valueText(value);
  const before = span.equals || value.kind !== 'text' ? '' : '= ';
  const glued = !span.equals && before !== '' && !isBlank(text[span.value - 1]) ? ' ' : '';
  // What was quoted may have ended with its quote; a word does not.
  const next = text[span.end];
  const behind = next === undefined || isBlank(next) || next === '}' ? '' : ' ';
  return { start: span.value, end: span.end, text: `${glued}${before}${put}${behind}` };
}

/** Takes an item out: its lines when nothing else stands on them, so that a comment beside it stays. */
export function removal(text: string, span: { readonly start: number; readonly end: number }): Splice {
  let start = span.start;
  while (text[start - 1] === ' ' || text[start - 1] === '\t') start--;
  let end = span.end;
  while (text[end] === ' ' || text[end] === '\t') end++;
  const startsLine = start === 0 || text[start - 1] === '\n';
  const lineEnd = text.startsWith('\r\n', end)
    ? end + 2
    : text[end] === '\n'
      ? end + 1
      : end === text.length
        ? end
        : -1;
  if (startsLine && lineEnd !== -1) return { start, end: lineEnd, text: '' };
  if (lineEnd !== -1) return { start, end: span.end, text: '' };
  return { start: span.start, end, text: '' };
}

/**
 * Puts options and stanzas at the end of a stanza, or of the file, with the indentation of what stands there.
 *
 * @param within undefined for the end of the file
 * @param top    spans of the items among which they are put
 */
export function insertion(
  text: string,
  within: StanzaSpan | undefined,
  top: readonly { readonly start: number }[],
  content: Stanza,
): Splice {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const unit = unitOf(text);
  const indent = indentOf(text, within, top, unit);
  const lines: string[] = [];
  treeLines(content, '', lines);
  const own = lines.map((line) => {
    const rest = line.trimStart();
    return `${indent}${unit.repeat((line.length - rest.length) / 2)}${rest}`;
  });
  if (!within) {
    const open = text === '' || text.endsWith('\n') ? '' : eol;
    return { start: text.length, end: text.length, text: `${open}${own.join(eol)}${eol}` };
  }
  const line = startOfLine(text, within.close);
  if (line >= within.open && text.slice(line, within.close).trim() === '')
    return { start: line, end: line, text: `${own.join(eol)}${eol}` };
  const words = own.map((each) => each.trim()).join(' ');
  const apart = isBlank(text[within.close - 1]) ? '' : ' ';
  return { start: within.close, end: within.close, text: `${apart}${words} ` };
}

function indentOf(
  text: string,
  within: StanzaSpan | undefined,
  top: readonly { readonly start: number }[],
  unit: string,
): string {
  for (const { start } of top.toReversed()) {
    const before = text.slice(startOfLine(text, start), start);
    if (/^[ \t]*$/.test(before)) return before;
  }
  if (!within) return '';
  return `${/^[ \t]*/.exec(text.slice(startOfLine(text, within.start), within.start))?.[0] ?? ''}${unit}`;
}

/** One step of indentation, as the first indented line has it. */
function unitOf(text: string): string {
  const first = /^([ \t]+)[^\s]/m.exec(text)?.[1] ?? '  ';
  return first.startsWith('\t') ? '\t' : first.length > 8 || first.includes('\t') ? '  ' : first;
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}
