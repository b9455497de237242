import { placeText } from '../errors.ts';
import { type Count, FAMILIES, type Family, type OptionCoverage, Scopes } from '../schema/coverage.ts';
import { spelling } from '../schema/spelling.ts';
import type { UsedSetting } from '../tree/usage.ts';
import { scopeNames } from './entry-text.ts';
import type { Manual } from './manual.ts';

/** Options of one family of scopes, as a table shows them. */
export interface FamilyTable {
  readonly family: Family;
  readonly title: string;
  readonly count: Count;
  readonly rows: readonly CoverageLine[];
}

export interface CoverageLine {
  readonly name: string;
  readonly mark: 'yes' | 'some' | 'no';
  /** Where it may stand, of this family; where only some of that is implemented, which. */
  readonly where: string;
  /** What it would do, or what of it is missing. */
  readonly text: string;
}

/** What is implemented, by family: the same rows for the terminal and for docs/coverage.md. */
export function familyTables(manual: Manual): readonly FamilyTable[] {
  const { coverage } = manual;
  const scopes = new Scopes(manual.schema);
  return FAMILIES.map((family) => ({
    family,
    title: FAMILY_TITLES[family],
    count: coverage.families[family],
    rows: coverage.options.flatMap((row) => line(row, (scope) => scopes.family(scope) === family) ?? []),
  }));
}

/** Stanzas and modules, as the same lines. */
export function stanzaLines(manual: Manual): readonly CoverageLine[] {
  return manual.coverage.stanzas.map(({ row, served, unserved, summary }) => ({
    name: spelling(row.name),
    mark: markOf(served.length, unserved.length),
    where: whereWords(served, unserved),
    text: summary,
  }));
}

export function moduleLines(manual: Manual): readonly CoverageLine[] {
  return manual.coverage.modules.map(({ name, state, options, summary }) => ({
    name,
    mark: state === 'implemented' ? 'yes' : state === 'in part' ? 'some' : 'no',
    where: options.all === 0 ? '' : `${options.implemented} of ${options.all} options`,
    text: summary,
  }));
}

/** `impetus check --coverage`. */
export function coverageText(manual: Manual): string {
  const out: string[] = [];
  for (const { title, count, rows } of familyTables(manual)) {
    out.push(`${title}: ${countWords(count, 'settings')}`, ...table(rows), '');
  }
  const { total } = manual.coverage;
  out.push(`Stanzas: ${countWords(total.stanzas, 'stanzas')}`, ...table(stanzaLines(manual)), '');
  out.push(`Modules: ${countWords(total.modules, 'modules')}`, ...table(moduleLines(manual)), '');
  out.push(totalLine(manual));
  return `${out.join('\n')}\n`;
}

export function totalLine(manual: Manual): string {
  const { settings, options, stanzas, modules } = manual.coverage.total;
  return (
    `Total: ${settings.implemented} of ${settings.all} settings (an option in a scope) are implemented; ` +
    `of ${options.all} options ${options.implemented} as a whole and ${options.inPart} in part; ` +
    `${stanzas.implemented} of ${stanzas.all} stanzas; ${modules.implemented} of ${modules.all} modules as a whole.`
  );
}

/** The same as data. */
export function coverageData(manual: Manual): unknown {
  const { families, total, options, stanzas, modules } = manual.coverage;
  return {
    families,
    total,
    options: options.map(({ setting, state, served, unserved, parts, summary }) => ({
      name: setting.name,
      status: state,
      implementedIn: served,
      notImplementedIn: unserved,
      valuesNotImplemented: parts,
      ...(setting.row?.module === undefined ? {} : { module: setting.row.module }),
      summary,
    })),
    stanzas: stanzas.map(({ row, state, served, unserved, summary }) => ({
      name: row.name,
      status: state,
      implementedIn: served,
      notImplementedIn: unserved,
      summary,
    })),
    modules: modules.map(({ name, tier, state, options: count, summary }) => ({
      name,
      tier,
      status: state,
      options: count,
      summary,
    })),
  };
}

/** `impetus check -c FILE --coverage`: what of a configuration is in force, and what is not, with its place. */
export function usageText(manual: Manual, file: string, used: readonly UsedSetting[]): string {
  const lines: string[] = [];
  for (const each of used) {
    const summary = summaryOf(manual, each);
    const what = summary === '' ? '' : ` (${summary})`;
    if (!each.implemented) lines.push(`${placeText(each.place)}: not implemented yet: ${each.title}${what}`);
    else
      for (const part of each.parts)
        lines.push(`${placeText(each.place)}: not implemented yet: ${part} of ${each.title}`);
  }
  const { options, stanzas } = counted(used);
  return [
    ...lines,
    `${file} sets ${options.all} options, ${options.implemented} of them are implemented; ` +
      `it has ${stanzas.all} stanzas, ${stanzas.implemented} of them are implemented.`,
    '',
  ].join('\n');
}

/** The same as data. */
export function usageData(manual: Manual, file: string, used: readonly UsedSetting[]): unknown {
  return {
    file,
    ...counted(used),
    notImplemented: used
      .filter(({ implemented, parts }) => !implemented || parts.length > 0)
      .map((each) => ({
        kind: each.kind,
        name: each.name,
        scope: each.scope,
        title: each.title,
        ...each.place,
        values: each.implemented ? each.parts : [],
        summary: summaryOf(manual, each),
      })),
  };
}

const FAMILY_TITLES: Readonly<Record<Family, string>> = {
  sending: 'Sending (Binding_Group, Binding, Domain)',
  host: 'Host',
  receiving: 'Receiving (Pathway_Group, Pathway)',
  listener: 'Listeners (all kinds, Listen, Peer)',
  global: 'Global, and stanzas of the core below it',
  module: 'Modules',
};

function counted(used: readonly UsedSetting[]): { readonly options: Count; readonly stanzas: Count } {
  const count = (kind: UsedSetting['kind']): Count => {
    const ofKind = used.filter((each) => each.kind === kind);
    return { all: ofKind.length, implemented: ofKind.filter(({ implemented }) => implemented).length };
  };
  return { options: count('option'), stanzas: count('stanza') };
}

function summaryOf({ schema, coverage }: Manual, used: UsedSetting): string {
  if (used.kind === 'stanza') return schema.scope(used.scope, used.name)?.summary ?? '';
  const scopes = [used.scope, ...(schema.isModule(used.scope) ? ['*module'] : [])];
  const row = coverage.options.find(
    ({ setting }) => setting.name === used.name && scopes.some((scope) => setting.scopes.includes(scope)),
  );
  return row?.summary ?? '';
}

function line(row: OptionCoverage, inFamily: (scope: string) => boolean): CoverageLine | undefined {
  const served = row.served.filter(inFamily);
  const unserved = row.unserved.filter(inFamily);
  if (served.length + unserved.length === 0) return undefined;
  const parts = served.length === 0 ? [] : row.parts;
  const missing = parts.length === 0 ? '' : `without ${parts.join(', ')}`;
  return {
    name: spelling(row.setting.name),
    mark: markOf(served.length, unserved.length + parts.length),
    where: whereWords(served, unserved),
    text: [missing, row.summary].filter((each) => each !== '').join('; '),
  };
}

function markOf(served: number, unserved: number): CoverageLine['mark'] {
  if (served === 0) return 'no';
  return unserved === 0 ? 'yes' : 'some';
}

function whereWords(served: readonly string[], unserved: readonly string[]): string {
  if (served.length === 0) return scopeNames(unserved);
  return unserved.length === 0 ? scopeNames(served) : `${scopeNames(served)}; not in ${scopeNames(unserved)}`;
}

const countWords = ({ implemented, all }: Count, what: string): string =>
  `${implemented} of ${all} ${what} are implemented`;

function table(rows: readonly CoverageLine[]): readonly string[] {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return rows.map(({ name, mark, where, text }) =>
    `  ${mark.padEnd(5)} ${name.padEnd(width)}  ${[where, text].filter((each) => each !== '').join(' - ')}`.trimEnd(),
  );
}
