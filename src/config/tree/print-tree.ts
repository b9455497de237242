import { BUILT_IN } from '../schema/declare.ts';
import { spelling } from '../schema/spelling.ts';
import { quote, valueText } from '../text/print.ts';
import { type Assignment, type Stanza, stanzaTitle } from './stanza.ts';

/** `Max_Outbound_Connections = 5`. */
export function assignmentText(assigned: Assignment): string {
  return `${spelling(assigned.entry.name)} = ${valueText(assigned.value)}`;
}

/** `Domain "mx.test"`, without braces. */
export function headText(stanza: { readonly type: string; readonly written: string | undefined }): string {
  return stanza.written === undefined ? stanzaTitle(stanza) : `${spelling(stanza.type)} ${quote(stanza.written)}`;
}

/**
 * A whole tree as a file that reads back as the same tree: flattened, children first, then options.
 *
 * @param builtIn whether settings are told that an empty configuration has, too
 */
export function printTree(tree: Stanza, builtIn = false): string {
  const lines: string[] = [];
  treeLines(tree, '', lines, builtIn);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** The contents of a stanza. Built-in settings are left out unless they are wanted: they are there anyway. */
export function treeLines(stanza: Stanza, indent: string, into: string[], builtIn = false): void {
  for (const ofType of stanza.children.values()) {
    for (const child of ofType.values()) {
      const from = into.length;
      into.push(`${indent}${headText(child)} {`);
      treeLines(child, `${indent}  `, into, builtIn);
      if (!builtIn && into.length === from + 1 && child.at.file === BUILT_IN.file) into.length = from;
      else into.push(`${indent}}`);
    }
  }
  for (const assigned of stanza.options.values()) {
    if (builtIn || assigned.at.file !== BUILT_IN.file) into.push(indent + assignmentText(assigned));
  }
}
