import { ConfigError } from '../errors.ts';
import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import { sameRaw } from '../fallback/view.ts';
import type { PatternHost, RawValue } from '../option.ts';
import { compilePattern, type Pattern } from '../patterns/pattern.ts';
import { rawOf } from '../schema/declare.ts';
import type { OptionEntry } from '../schema/schema.ts';
import { pathSpelling, spelling } from '../schema/spelling.ts';
import { parseValue } from '../text/grammar.ts';
import { valueText } from '../text/print.ts';
import { assignment } from '../tree/assignment.ts';
import { assignmentText, headText, treeLines } from '../tree/print-tree.ts';
import {
  type Assignment,
  follow,
  type Stanza,
  type Step,
  withOption,
  withoutOption,
  withoutStanza,
  withStanza,
} from '../tree/stanza.ts';
import { placeTitle, unservedOf } from '../tree/unserved.ts';
import { CONSOLE, type CommandPath, evaluate, isText, readPath } from './path.ts';
import type { CommandCall, CommandResult } from './session.ts';
import { onlyOption, restartWarning } from './words.ts';

/** `config get` and `config eval`. */
export function valueLine(call: CommandCall, how: 'get' | 'eval'): CommandResult {
  const tree = treeOf(call);
  const path = readPath(call.configuration.schema, tree, call.words, 0);
  const { entry } = optionBehind(call, path, how === 'eval');
  onlyOption(call.words, path.next);
  if (how === 'eval')
    return { ok: true, lines: [evaluatedText(call.configuration.tentative(tree), path.steps, entry, path.scope)] };
  const assigned = follow(tree, path.steps)?.options.get(entry.name);
  if (!assigned) return notSet(entry, path);
  return { ok: true, lines: [`${path.steps.length > 0 ? '\t' : ''}${assignmentText(assigned)}`] };
}

/** `config set`. */
export async function changeOption(call: CommandCall): Promise<CommandResult> {
  const { schema, patterns } = call.configuration;
  const path = readPath(schema, treeOf(call), call.words, 0, patterns);
  const { entry, written } = optionBehind(call, path, false);
  const from = call.words[path.next + 1];
  if (!from) throw new ConfigError(`a value is missing for ${written}`);
  const text = call.line.slice(from.offset);
  const assigned = checkedValue(entry, text, patterns);
  await change(call, (tree) => withOption(tree, path.steps, assigned));
  const warnings = [...unservedWarnings(call, path.steps, assigned)];
  if (isPending(call, path.steps, assigned)) warnings.push(restartWarning(entry.name));
  return { ok: true, lines: [...warnings, assignmentText(assigned)] };
}

/** `config unset`, of an option or of a scope. */
export async function unset(call: CommandCall): Promise<CommandResult> {
  const { schema, implicit } = call.configuration;
  const tree = treeOf(call);
  const path = readPath(schema, tree, call.words, 0);
  if (path.next < call.words.length) {
    const { entry } = optionBehind(call, path, false);
    if (!follow(tree, path.steps)?.options.has(entry.name)) return notSet(entry, path);
    const builtIn = follow(implicit, path.steps)?.options.get(entry.name);
    await change(call, (from) =>
      builtIn ? withOption(from, path.steps, builtIn) : withoutOption(from, path.steps, entry.name),
    );
    const now = evaluatedText(call.configuration.tentative(treeOf(call)), path.steps, entry, path.scope);
    return { ok: true, lines: [`"${spelling(entry.name)}" has been unset. Effective value is now:`, `\t${now}`] };
  }
  if (path.steps.length === 0) return { ok: false, lines: ['The global scope cannot be unset.'] };
  if (!follow(tree, path.steps)) throw new ConfigError(`there is no scope '${path.text}'`);
  const builtIn = follow(implicit, path.steps);
  await change(call, (from) => (builtIn ? withStanza(from, path.steps, builtIn) : withoutStanza(from, path.steps)));
  return { ok: true, lines: [`Scope '${path.text}' has been unset.`] };
}

/**
 * `config show`: the contents of a scope, in the syntax of files. `config showrecurse`: with the scopes in it and those
 * around it, so that what is printed can be read as a file (manual page config).
 */
export function show(call: CommandCall, deep: boolean): CommandResult {
  const tree = treeOf(call);
  const path = readPath(call.configuration.schema, tree, call.words, 0);
  if (path.next < call.words.length) {
    if (deep) throw new ConfigError(`'${call.words[path.next]?.text}' is no scope in scope '${path.text || 'Global'}'`);
    return valueLine(call, 'get');
  }
  const stanza = follow(tree, path.steps);
  if (!stanza) throw new ConfigError(`there is no scope '${path.text}'`);
  const lines: string[] = [];
  if (!deep) {
    shallowLines(stanza, lines);
    return { ok: true, lines };
  }
  treeLines(stanza, '  '.repeat(path.steps.length), lines, true);
  const opening = path.steps.map((step, depth) => `${'  '.repeat(depth)}${headText(step)} {`);
  const closing = path.steps.map((_, depth) => `${'  '.repeat(depth)}}`).reverse();
  return { ok: true, lines: [...opening, ...lines, ...closing] };
}

/** `config locate TYPE [REGEX]`. */
export function locate(call: CommandCall): CommandResult {
  const [type, pattern] = call.words;
  if (!isText(type)) throw new ConfigError('locate needs the type of a scope');
  const wanted = type.text.toLowerCase();
  if (call.configuration.schema.scopesOf(wanted).every((parent) => !call.configuration.schema.scope(parent, wanted))) {
    throw new ConfigError(`unknown scope '${type.text}'`);
  }
  // Taken as typed, brackets and all: the pattern is not delimited.
  const text =
    pattern === undefined ? '' : pattern.kind === 'text' ? pattern.text : call.line.slice(pattern.offset).trim();
  const regex = readPattern(text);
  const lines: string[] = [];
  const visit = (stanza: Stanza, path: string): void => {
    for (const [childType, ofType] of stanza.children) {
      for (const child of ofType.values()) {
        const at = `${path}${pathSpelling(childType)}:${(child.written ?? '').replaceAll(':', '\\:')}:`;
        if (childType === wanted && regex.test(child.written ?? '')) lines.push(headText(child), `  is at ${at}`);
        visit(child, at);
      }
    }
  };
  visit(treeOf(call), '');
  return { ok: true, lines };
}

/** What a command sees: the open transaction, or what is live. */
export function treeOf({ configuration, session }: CommandCall): Stanza {
  return session.transaction?.tree ?? configuration.current.tree;
}

/** Into the open transaction, or as a transaction of its own. */
async function change(call: CommandCall, apply: (tree: Stanza) => Stanza): Promise<void> {
  const { configuration, session } = call;
  const { transaction } = session;
  if (transaction) {
    session.transaction = {
      ...transaction,
      tree: apply(transaction.tree),
      lines: [...transaction.lines, `config ${call.line.trim()}`],
    };
    return;
  }
  for (;;) {
    const { number, tree } = configuration.current;
    // Somebody else may commit while a check of ours waits; this change does not depend on what they changed.
    const made = { origin: { kind: 'command', line: call.line.trim() }, who: session.who } as const;
    if (await configuration.commit(apply(tree), number, made)) return;
  }
}

/** The option that stands behind a scope. */
export function optionBehind(
  call: CommandCall,
  path: CommandPath,
  anywhere: boolean,
): { readonly entry: OptionEntry; readonly written: string } {
  const word = call.words[path.next];
  if (!word) throw new ConfigError('the name of an option is missing');
  const name = word.text.toLowerCase();
  const { schema } = call.configuration;
  const entry = schema.option(path.scope, name) ?? (anywhere ? schema.anywhere(name) : undefined);
  if (!entry) throw new ConfigError(`unknown option '${word.text}' in scope '${path.text || 'Global'}'`);
  return { entry, written: word.text };
}

function checkedValue(entry: OptionEntry, text: string, host: PatternHost): Assignment {
  const errors: ConfigError[] = [];
  const raw = parseValue(text, CONSOLE, errors);
  const [error] = errors;
  if (!raw || error) throw new ConfigError(error?.message ?? 'a value is missing');
  try {
    return assignment(entry, spelling(entry.name), raw, raw.at, host);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const shown = raw.kind === 'text' ? raw.text : valueText(raw);
    throw new ConfigError(
      `'${shown}' is not a valid ${typeName(entry.type.title)} for ${spelling(entry.name)}${legalWords(entry.type.title)}`,
      { cause },
    );
  }
}

/** `an integer` is `integer`, `a duration in seconds, or …` is `duration in seconds`. */
function typeName(title: string): string {
  if (title.startsWith('one of ')) return 'word';
  return title.replace(/^an? /, '').replace(/(?:,| as | \(|:).*$/, '');
}

function legalWords(title: string): string {
  return title.startsWith('one of ') ? `, ${title}` : '';
}

function readPattern(text: string): Pattern {
  try {
    return compilePattern(text);
  } catch (error) {
    throw new ConfigError(`'${text}': expected ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function notSet(entry: OptionEntry, path: CommandPath): CommandResult {
  return { ok: false, lines: [`Option '${spelling(entry.name)}' is not set in scope '${path.text}'.`] };
}

function evaluatedText(
  generation: CompiledGeneration,
  steps: readonly Step[],
  entry: OptionEntry,
  scope: string,
): string {
  const { assigned, query } = evaluate(generation, steps, entry.name);
  const name = spelling(entry.name);
  const fixed = entry.declared.find((option) => !option.dynamic);
  const pending =
    fixed && !sameRaw(generation.view(query).cell(fixed).raw, assigned?.value) ? ' (pending restart)' : '';
  const text = assigned ? valueText(assigned.value) : defaultText(entry, query.kind === 'host' ? 'host' : scope);
  return text === undefined ? `${name} is not set and has no default.${pending}` : `${name} = ${text}${pending}`;
}

/** A built-in default; booleans as 0 and 1. */
export function defaultText(entry: OptionEntry, scope: string): string | undefined {
  const [option] = entry.declared;
  const value = option ? (option.initials.get(scope) ?? option.initial) : entry.catalogued;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' || typeof value === 'bigint') return mode(entry, value) ?? String(value);
  if (typeof value === 'string') return valueText(rawOf(value));
  if (Array.isArray(value)) return valueText(rawOf(value));
  return entry.catalogued === undefined || value === undefined ? undefined : valueText(rawOf(entry.catalogued));
}

/** Permission bits are octal for people. */
function mode(entry: OptionEntry, value: number | bigint): string | undefined {
  return entry.type.title.startsWith('an octal') ? value.toString(8).padStart(4, '0') : undefined;
}

/** What of it a check of the files would name, in a console's words. */
function unservedWarnings(call: CommandCall, steps: readonly Step[], assigned: Assignment): readonly string[] {
  const stanza = follow(treeOf(call), steps);
  if (!stanza) return [];
  const served = steps.every(({ type }) => call.configuration.schema.implemented(type));
  const name = `"${spelling(assigned.entry.name)}"`;
  const unserved = served ? unservedOf(assigned, stanza) : 'all';
  if (unserved !== 'all')
    return unserved.map((part) => `Warning: ${part} of ${name} is not implemented yet; it changes nothing.`);
  const where = assigned.entry.declared.length === 0 ? '' : ` in ${placeTitle(stanza)}`;
  return [`Warning: ${name}${where} is not implemented yet; it changes nothing.`];
}

function isPending(call: CommandCall, steps: readonly Step[], assigned: Assignment): boolean {
  const fixed = assigned.entry.declared.find((option) => !option.dynamic);
  if (!fixed) return false;
  const tree = treeOf(call);
  const generation = call.configuration.tentative(tree);
  const stanza = follow(tree, steps);
  const used: RawValue | undefined =
    stanza && generation.compiler.compile(stanza).cells.find((cell) => cell.slot === fixed.slot)?.raw;
  return !sameRaw(used, assigned.value);
}

function shallowLines(stanza: Stanza, into: string[]): void {
  for (const ofType of stanza.children.values())
    for (const child of ofType.values()) into.push(`${headText(child)} { ... }`);
  for (const assigned of stanza.options.values()) into.push(assignmentText(assigned));
}
