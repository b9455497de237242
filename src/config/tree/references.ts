import { nearest } from '../../base/index.ts';
import type { Slices } from '../../world/index.ts';
import { ConfigError, Notice } from '../errors.ts';
import { spelling } from '../schema/spelling.ts';
import type { Findings } from './merge.ts';
import { overlappingEndpoints } from './overlap.ts';
import { type Assignment, childOf, type Stanza, stanzasOf, stanzaTitle } from './stanza.ts';

/** What can only be judged when the whole tree is there. Repeated at each commit. */
export async function checkTree(root: Stanza, findings: Findings, slices: Slices): Promise<void> {
  duplicateEndpoints(root, findings);
  overlappingEndpoints(root, findings);
  oneScriptlet(root, findings);
  await slices.each(stanzasOf(root), (stanza) => references(root, stanza, findings));
}

function duplicateEndpoints(root: Stanza, findings: Pick<Findings, 'errors'>): void {
  const seen = new Map<string, Stanza>();
  for (const [type, ofType] of root.children) {
    const listener = ofType.get('');
    if (!type.endsWith('_listener') || !listener) continue;
    for (const listen of listener.children.get('listen')?.values() ?? []) {
      const other = seen.get(listen.instance);
      if (other) {
        findings.errors.push(
          new ConfigError(`Listen "${listen.written ?? listen.instance}": already used by ${spelling(other.type)}`, {
            place: listen.at,
            near: listen.written,
          }),
        );
      } else {
        seen.set(listen.instance, listener);
      }
    }
  }
}

function oneScriptlet(root: Stanza, findings: Pick<Findings, 'errors'>): void {
  const [first, second] = root.children.get('scriptlet')?.values() ?? [];
  if (!first || !second) return;
  findings.errors.push(
    new ConfigError(
      `${stanzaTitle(second)}: only one name may be used for scriptlets, and ${stanzaTitle(first)} is there`,
      {
        place: second.at,
        near: second.written,
      },
    ),
  );
}

function references(root: Stanza, stanza: Stanza, findings: Findings): void {
  for (const [name, assigned] of stanza.options) {
    if (assigned.entry.refersTo !== undefined) reference(root, name, assigned.entry.refersTo, assigned, findings);
  }
}

function reference(root: Stanza, name: string, type: string, assigned: Assignment, findings: Findings): void {
  if (assigned.value.kind !== 'text' || assigned.value.text === '') return;
  const wanted = assigned.value.text;
  const { at: place } = assigned.value;
  if (type === 'pathway') {
    if (wanted === 'default' || childOf(root, 'pathway', wanted)) return;
    const groups = [...(root.children.get('pathway_group')?.values() ?? [])];
    if (groups.some((group) => childOf(group, 'pathway', wanted))) return;
    const suggestion = nearest(
      wanted,
      [root, ...groups].flatMap((container) => [...(container.children.get('pathway')?.keys() ?? [])]),
    );
    const hint = suggestion === undefined ? '' : `; did you mean '${suggestion}'?`;
    findings.errors.push(
      new ConfigError(`${spelling(name)} = ${wanted}: there is no pathway of that name${hint}`, {
        place,
        near: wanted,
        suggestion,
      }),
    );
  } else if ((type === 'threadpool' || type === 'eventloop') && !childOf(root, type, wanted.toLowerCase())) {
    findings.notices.push(
      new Notice(
        'warning',
        place,
        `${spelling(name)} = ${wanted}: there is no ${type} of that name, the default one is used`,
      ),
    );
  }
}
