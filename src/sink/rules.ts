import { type Reply, reply } from '../smtp/index.ts';
import { ACCEPT, type Action, actionOf, BEHAVIOURS, type Behaviour, RuleError } from './action.ts';

/** `PATTERN=ACTION`, compiled. Patterns and paths are compared in lower case. */
export interface Rule {
  readonly pattern: string;
  readonly action: Action;
  /** @param path  `local@domain` in lower case */
  matches(path: string): boolean;
}

/** Patterns and rules a sink may have; more is a mistake, since each recipient walks them all. */
export const MOST_RULES = 10_000;

/**
 * `*@slow.example=slow-10s`, `joe@*=refuse-552`, `full.example=defer 452 4.2.2 mailbox full`. A pattern without `@` is
 * for a domain; `*` stands for any text. An action is as in a local part, and may be followed by the reply to give.
 *
 * @throws RuleError
 */
export function parseRule(text: string): Rule {
  const equals = text.indexOf('=');
  if (equals < 1) throw new RuleError(`rule "${text}": write PATTERN=ACTION, as '*@slow.example=slow-10s'`);
  const pattern = text.slice(0, equals).trim().toLowerCase();
  if (pattern === '') throw new RuleError(`rule "${text}": the pattern is empty`);
  try {
    return {
      pattern,
      action: parseAction(text.slice(equals + 1).trim()),
      matches: glob(pattern.includes('@') ? pattern : `*@${pattern}`),
    };
  } catch (error) {
    if (error instanceof RuleError) throw new RuleError(`rule "${text}": ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * A table of rules: one a line, blank lines and `#` comments left out.
 *
 * @throws RuleError that names the line
 */
export function parseRules(text: string, file: string): readonly Rule[] {
  const rules: Rule[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const meant = line.trim();
    if (meant === '' || meant.startsWith('#')) continue;
    try {
      rules.push(parseRule(meant));
    } catch (error) {
      if (error instanceof RuleError) throw new RuleError(`${file}:${index + 1}: ${error.message}`, { cause: error });
      throw error;
    }
    if (rules.length > MOST_RULES) throw new RuleError(`${file}:${index + 1}: more than ${MOST_RULES} rules`);
  }
  return rules;
}

/** What happens to a recipient: the first rule that matches, else what its local part begins with, else it is accepted. */
export function actionFor(path: string, rules: readonly Rule[]): Action {
  const lower = path.toLowerCase();
  for (const rule of rules) if (rule.matches(lower)) return rule.action;
  return actionOfLocalPart(lower);
}

/** @param path  in lower case */
function actionOfLocalPart(path: string): Action {
  for (const behaviour of BEHAVIOURS) {
    if (!path.startsWith(behaviour)) continue;
    if (behaviour === 'accept') return ACCEPT;
    const at = path.lastIndexOf('@');
    const local = at === -1 ? path : path.slice(0, at);
    return actionOf(behaviour, local.split(/[-+._]/).slice(1), false);
  }
  // The other spelling of grey is as common in this trade.
  if (path.startsWith('gray')) return actionOfLocalPart(`grey${path.slice(4)}`);
  return ACCEPT;
}

function parseAction(text: string): Action {
  const blank = text.search(/\s/);
  const [word = '', ...modifiers] = (blank === -1 ? text : text.slice(0, blank)).toLowerCase().split('-');
  const behaviour = BEHAVIOURS.find((name) => name === (word === 'gray' ? 'grey' : word));
  if (behaviour === undefined) throw new RuleError(`"${word}" is none of ${BEHAVIOURS.join(', ')}`);
  const action = actionOf(behaviour, modifiers, true);
  if (blank === -1) return action;
  return { ...action, reply: parseReply(text.slice(blank).trim(), action.reply, behaviour) };
}

/** `451 4.7.1 text`, `451 text` or only text: what is left out stays as it was. */
function parseReply(text: string, usual: Reply, behaviour: Behaviour): Reply {
  if (behaviour === 'accept' || behaviour === 'slow' || behaviour === 'drop') {
    throw new RuleError(`${behaviour} takes no reply text`);
  }
  const parts = /^(?:(\d{3})(?:\s+|$))?(?:([245]\.\d{1,3}\.\d{1,3})(?:\s+|$))?(.*)$/.exec(text);
  const code = parts?.[1] === undefined ? usual.code : Number(parts[1]);
  const wanted = behaviour === 'refuse' ? 5 : 4;
  if (Math.floor(code / 100) !== wanted)
    throw new RuleError(`${behaviour} answers with a ${wanted}yz code, not ${code}`);
  const enhanced = parts?.[2] ?? (parts?.[1] === undefined ? usual.enhanced : undefined);
  const said = parts?.[3] ?? '';
  if (/[^\x20-\x7e]/.test(said)) throw new RuleError('a reply is printable ASCII');
  return reply(code, enhanced, said === '' ? usual.text : said);
}

/** `*` matches any run of characters. Linear in the text for each star, so no pattern can be made slow. */
function glob(pattern: string): (path: string) => boolean {
  const parts = pattern.split('*');
  const head = parts[0] ?? '';
  if (parts.length === 1) return (path) => path === pattern;
  const tail = parts[parts.length - 1] ?? '';
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  return (path) => {
    if (path.length < head.length + tail.length || !path.startsWith(head) || !path.endsWith(tail)) return false;
    let from = head.length;
    const end = path.length - tail.length;
    for (const part of middle) {
      const at = path.indexOf(part, from);
      if (at === -1 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}
