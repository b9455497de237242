import { spelling } from '../schema/spelling.ts';
import { defaultText } from './defaults.ts';
import type { ModuleDescription, OptionDescription, ScopeDescription } from './descriptions.ts';
import type { FallbackPath } from './fallback-words.ts';
import type { Manual, Subject } from './manual.ts';

/** An answer of the manual: text for a terminal, and the same as data. */
export interface ManualAnswer {
  /** False: there is no such name. */
  readonly found: boolean;
  /** Whole lines. */
  readonly text: string;
  readonly data: unknown;
}

/** `impetus docs` and the console's `help option`, `help scope`, `help module`. */
export function askManual(manual: Manual, subject: Subject, name: string, scope?: string): ManualAnswer {
  switch (subject) {
    case 'option': {
      const options = manual.options(name, scope);
      if (options.length === 0) return missingOption(manual, name, scope);
      return { found: true, text: options.map(optionText).join('\n'), data: options };
    }
    case 'scope': {
      const found = manual.scope(name);
      if (found === undefined) return missing(manual, subject, name);
      return { found: true, text: scopeText(manual, found), data: found };
    }
    case 'module': {
      const found = manual.module(name);
      if (found === undefined) return missing(manual, subject, name);
      return { found: true, text: moduleText(manual, found), data: found };
    }
  }
}

/** Scopes as displayed. */
export function scopeNames(scopes: readonly string[]): string {
  const order = [...scopes].sort((one, other) => rank(one) - rank(other));
  return order.map(scopeName).join(', ');
}

export function scopeName(scope: string): string {
  if (scope === '*') return 'everywhere';
  return scope === '*module' ? 'every module' : spelling(scope);
}

function optionText(option: OptionDescription): string {
  const { defaultByScope } = option;
  const special = Object.entries(defaultByScope ?? {}).map(
    ([scope, value]) => `${defaultText(value)} in ${spelling(scope)}`,
  );
  const initial = option.default === undefined ? 'none' : defaultText(option.default);
  return page(`${option.name}${option.summary === '' ? '' : ` - ${option.summary}`}`, [
    ['Type', option.typeTitle],
    ['Written as', spelled(option)],
    ['Unit', option.unit ?? ''],
    ['Default', [initial, ...special].join('; ')],
    ['Scopes', scopeNames(option.scopes)],
    ['Fallback', option.fallback.length === 0 ? '' : fallbackLines(option.fallback).join('\n')],
    ['Changes', option.dynamic ? 'hold at once' : 'hold after the next start'],
    ['Names a', option.refersTo === undefined ? '' : `${spelling(option.refersTo)} stanza`],
    ['Module', option.module ?? ''],
    ['Status', optionStatus(option)],
    ['Manual', manualWords(option.manualPage, option.inMomentum)],
    ['Example', option.example],
  ]);
}

function optionStatus(option: OptionDescription): string {
  if (option.status === 'not implemented yet')
    return `${option.status}: it is accepted and checked, and changes nothing`;
  const elsewhere = option.scopes.filter((scope) => !option.implementedIn.includes(scope));
  const lines = [
    elsewhere.length === 0
      ? 'implemented'
      : `implemented in ${scopeNames(option.implementedIn)}; not yet in ${scopeNames(elsewhere)}`,
  ];
  const parts = option.valuesNotImplemented.join(', ');
  if (parts !== '') lines.push(`not implemented yet among its values: ${parts}`);
  return lines.join('\n');
}

function scopeText(manual: Manual, scope: ScopeDescription): string {
  const all = manual.coverage.options;
  const served = new Set(all.filter((row) => row.served.includes(scope.key)).map(({ setting }) => setting.name));
  const names = (wanted: boolean): string =>
    scope.options
      .filter((name) => served.has(name) === wanted)
      .map(spelling)
      .join(', ');
  const unserved = scope.parents.filter((parent) => !scope.implementedIn.includes(parent));
  return page(`${scope.name}${scope.summary === '' ? '' : ` - ${scope.summary}`}`, [
    ['Written', instanceWords(scope)],
    ['Stands in', scopeNames(scope.parents)],
    ['May hold', scopeNames(scope.children)],
    ['Module', scope.module ?? ''],
    ['Options', names(true)],
    ['Not yet', names(false)],
    [
      'Status',
      scope.status === 'in part'
        ? `implemented in ${scopeNames(scope.implementedIn)}; not yet in ${scopeNames(unserved)}`
        : scope.status,
    ],
    ['Manual', manualWords(scope.manualPage, true)],
    ['Example', scope.example],
  ]);
}

function instanceWords({ key, instance }: ScopeDescription): string {
  if (key === 'global') return 'nothing is written: it is the top level of the file';
  if (instance === 'required') return 'with a name';
  return instance === 'optional' ? 'with a name, or without one: then it has its own' : 'without a name: there is one';
}

function moduleText(manual: Manual, module: ModuleDescription): string {
  const rows = manual.coverage.options.filter(({ setting }) => setting.scopes.includes(module.name));
  const listed = rows.map(
    ({ setting, state, summary }) =>
      `${spelling(setting.name)}${summary === '' ? '' : ` - ${summary}`}${state === 'implemented' ? '' : ` (${state})`}`,
  );
  const common = manual.coverage.options.filter(({ setting }) => setting.scopes.includes('*module'));
  const status =
    module.optionsAll === 0
      ? module.status
      : `${module.status}; ${module.optionsImplemented} of ${module.optionsAll} options`;
  return page(`${module.name}${module.summary === '' ? '' : ` - ${module.summary}`}`, [
    ['Stanza', module.stanza ? (manual.scope(module.name)?.example ?? '') : 'none: it belongs to the core'],
    ['Options', listed.join('\n')],
    [
      'And',
      module.stanza ? `those of every module: ${common.map(({ setting }) => spelling(setting.name)).join(', ')}` : '',
    ],
    ['Tier', TIERS.get(module.tier) ?? ''],
    ['Status', status],
    ['Manual', manualWords(module.manualPage, module.tier !== '')],
  ]);
}

const TIERS: ReadonlyMap<string, string> = new Map([
  ['must', 'needed by many configurations: comes first'],
  ['nice', 'comes later'],
  ['never', 'withdrawn, or foreign: its stanza is accepted, and nothing else is planned'],
]);

function missingOption(manual: Manual, name: string, scope: string | undefined): ManualAnswer {
  const elsewhere = scope === undefined ? [] : manual.options(name);
  if (scope === undefined || elsewhere.length === 0) return missing(manual, 'option', name);
  if (manual.scope(scope) === undefined && manual.module(scope) === undefined) return missing(manual, 'scope', scope);
  const places = scopeNames([...new Set(elsewhere.flatMap((option) => option.scopes))]);
  return {
    found: false,
    text: `${spelling(name.toLowerCase())} may not stand in ${spelling(scope.toLowerCase())}, only in ${places}.\n`,
    data: { error: 'not in this scope', scopes: elsewhere.flatMap((option) => option.scopes) },
  };
}

function missing(manual: Manual, subject: Subject, name: string): ManualAnswer {
  const shown = JSON.stringify(name.slice(0, 80));
  const other = OTHERS.filter((each) => each !== subject).find((each) =>
    manual.names(each).includes(name.toLowerCase()),
  );
  const near = manual.near(subject, name);
  const hint =
    other !== undefined
      ? ` It is a ${other}: ask for \`${other} ${name.toLowerCase()}\`.`
      : near.length > 0
        ? ` Did you mean ${near.join(', ')}?`
        : '';
  return {
    found: false,
    text: `There is no ${subject} ${shown}.${hint}\n`,
    data: { error: `unknown ${subject}`, near },
  };
}

const OTHERS: readonly Subject[] = ['option', 'scope', 'module'];

function manualWords(page: string | undefined, inMomentum: boolean): string {
  if (page !== undefined) return page;
  return inMomentum ? '' : 'none: Momentum does not have it';
}

/** Many spellings are cut: the schema has them all. */
function spelled({ type, spellings }: OptionDescription): string {
  if (type.kind === 'enumeration') return spellings.length > type.words.length ? spellings.join(', ') : '';
  const shown = spellings.slice(0, MOST_SPELLINGS);
  return `${shown.join(', ')}${shown.length < spellings.length ? ', …' : ''}`;
}

const MOST_SPELLINGS = 10;

/** Paths that differ in the kind of listener only are one line. */
export function fallbackLines(paths: readonly FallbackPath[]): readonly string[] {
  const lines = new Map<string, string[]>();
  for (const path of paths) {
    const listener = path.steps.flatMap((step) => /^\w+_listener/.exec(step) ?? []).at(0);
    const text = path.steps.join(' > ');
    const key = listener === undefined ? text : text.replaceAll(listener, 'LISTENER');
    lines.set(key, [...(lines.get(key) ?? []), listener ?? '']);
  }
  return [...lines].map(([line, listeners]) => {
    const [only] = listeners;
    if (listeners.length === 1 && only) return line.replaceAll('LISTENER', only);
    return only ? `${line}   (LISTENER: ${listeners.join(', ')})` : line;
  });
}

function page(title: string, fields: readonly (readonly [string, string])[]): string {
  const lines = [title];
  for (const [label, text] of fields) {
    if (text === '') continue;
    const [first = '', ...rest] = text.split('\n').flatMap(wrapped);
    lines.push(`    ${label.padEnd(LABEL)}${first}`, ...rest.map((each) => `    ${' '.repeat(LABEL)}${each}`));
  }
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

const LABEL = 12;
const WIDTH = 100;

/** Lines that a terminal shows whole; a word is never cut. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S) /)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const ORDER = ['*', '*module', 'global', 'binding_group', 'binding', 'domain', 'host', 'pathway_group', 'pathway'];

/** Global and those that hold others first, the rest as it comes. */
function rank(scope: string): number {
  const at = ORDER.indexOf(scope);
  return at === -1 ? ORDER.length : at;
}
