import { placeText } from '../errors.ts';
import { fallsToGlobal } from '../fallback/chain.ts';
import type { Level } from '../fallback/levels.ts';
import { sameRaw } from '../fallback/view.ts';
import type { Place } from '../option.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { spelling } from '../schema/spelling.ts';
import { valueText } from '../text/print.ts';
import { placeTitle, unservedOf } from '../tree/unserved.ts';
import { defaultText, optionBehind, treeOf } from './actions.ts';
import { CONSOLE, type Evaluated, evaluate, readPath } from './path.ts';
import type { CommandCall, CommandResult } from './session.ts';
import { onlyOption } from './words.ts';

/** `config explain [SCOPE…] OPTION`: the value, where it comes from, and every place that was asked for it. */
export function explain(call: CommandCall): CommandResult {
  const { configuration, words } = call;
  const tree = treeOf(call);
  const path = readPath(configuration.schema, tree, words, 0, configuration.patterns);
  const { entry } = optionBehind(call, path, true);
  onlyOption(words, path.next);
  const generation = configuration.tentative(tree);
  const found = evaluate(generation, path.steps, entry.name);
  const { assigned, query, level } = found;
  const builtIn = defaultText(entry, query.kind === 'host' ? 'host' : path.scope);
  const name = spelling(entry.name);
  const value = assigned ? valueText(assigned.value) : builtIn;
  const lines = [value === undefined ? `${name} is not set and has no default.` : `${name} = ${value}`];
  if (assigned) lines.push(`  from ${level?.where ?? 'Global'}, ${standsAt(configuration.placeOf(assigned))}`);
  else if (builtIn !== undefined) lines.push('  from the built-in default');
  const fixed = entry.declared.find((option) => !option.dynamic);
  const used = fixed && generation.view(query).cell(fixed).raw;
  if (fixed && !sameRaw(used, assigned?.value))
    lines.push(`  pending restart: until then ${used ? valueText(used) : (builtIn ?? 'no value')} is in use`);
  if (entry.declared.length === 0) lines.push('  not implemented yet: nothing reads it');
  else if (assigned && level?.stanza && unservedOf(assigned, level.stanza) === 'all')
    lines.push(`  not implemented yet: nothing reads it in ${placeTitle(level.stanza)}`);
  if (found.pathway && ranks(found).has(6)) {
    const { name: pathway, namedBy } = found.pathway;
    lines.push(`  pathway "${pathway}"${namedBy === undefined ? '' : `, named by ${namedBy}`}`);
  }
  if (path.steps.at(-1)?.pattern) lines.push('  which other regexes match depends on the name: explain one');
  lines.push('Asked in this order; the first that sets it wins:');
  lines.push(...table(rowsOf(call, found, entry.name, builtIn)));
  return { ok: true, lines };
}

interface Row {
  readonly rank: number;
  readonly where: string;
  readonly says: string;
  readonly wins: boolean;
}

function rowsOf(call: CommandCall, found: Evaluated, name: string, builtIn: string | undefined): readonly Row[] {
  const { assigned, level, query, levels } = found;
  const { schema } = call.configuration;
  const winner = level ? levels.indexOf(level) : levels.length;
  const rows: Row[] = levels.map((each, index) => {
    const own = says(each, name, schema.option(each.type, name) !== undefined);
    // A longer prefix that does not set the option hides nothing, which surprises people.
    const passed = own === NOT_SET && each.type === 'peer' && index < winner ? ', passed over' : '';
    return { rank: each.rank, where: each.where, says: own + passed, wins: each === level };
  });
  let rank = query.kind === 'host' ? 4 : query.kind === 'stanza' ? 1 : query.kind === 'global' ? 0 : 7;
  if (fallsToGlobal(query)) {
    const own = treeOf(call).options.get(name);
    const legal = schema.option('global', name) !== undefined;
    const global = own ? valueText(own.value) : legal ? NOT_SET : NOT_LEGAL;
    rows.push({ rank: ++rank, where: 'Global', says: global, wins: level === undefined && assigned !== undefined });
  }
  rows.push({ rank: ++rank, where: 'built-in default', says: builtIn ?? '(none)', wins: assigned === undefined });
  return rows;
}

const NOT_SET = 'not set';
const NOT_LEGAL = '(may not be set here)';

function says({ stanza }: Level, name: string, legal: boolean): string {
  const own = stanza?.options.get(name);
  if (own) return valueText(own.value);
  if (!legal) return NOT_LEGAL;
  return stanza ? NOT_SET : '(no such stanza)';
}

function ranks({ levels }: Evaluated): ReadonlySet<number> {
  return new Set(levels.map(({ rank }) => rank));
}

function table(rows: readonly Row[]): readonly string[] {
  const width = Math.min(90, Math.max(...rows.map(({ where }) => where.length)));
  return rows.map(({ rank, where, says: value, wins }) =>
    `${wins ? '>' : ' '} ${rank}  ${where.padEnd(width)}  ${value}`.trimEnd(),
  );
}

function standsAt(at: Place): string {
  if (at.file === CONSOLE) return 'set on a console';
  return at.file === BUILT_IN.file ? 'built in' : placeText(at);
}
