import { SUBJECTS, type Subject } from '../config/index.ts';
import { allCommands } from './answer.ts';
import type { House } from './house.ts';

/** @returns whole lines that begin with what was typed so far and end after the next word */
export function complete(house: House, line: string): readonly string[] {
  const found = new Set([...nextWords(house, line), ...nextNames(house, line)]);
  return [...found].sort();
}

function* nextWords(house: House, line: string): Generator<string> {
  const before = /^(?:(?:help|json) +)?/.exec(line)?.[0] ?? '';
  const typed = line.slice(before.length);
  for (const { words } of [...allCommands(house), { words: 'json' }]) {
    if (!words.startsWith(typed) || words === typed) continue;
    const blank = words.indexOf(' ', typed.length);
    yield `${before}${blank === -1 ? words : words.slice(0, blank)} `;
  }
}

/** Names of the configuration: behind `help option` and its like, and in `config set` and its like. */
function* nextNames(house: House, line: string): Generator<string> {
  const [, start = '', subject = '', begun = ''] = ENTRY.exec(line) ?? [];
  if (subject !== '') {
    const subjects = SUBJECTS.filter((each) => each === subject);
    for (const name of names(house, subjects, begun)) yield `${start}${name} `;
    return;
  }
  const at = line.lastIndexOf(' ') + 1;
  const last = line.slice(at);
  // One letter at least: all names would help nobody.
  if (!CONFIG.test(line) || !/^[A-Za-z_]\w*$/.test(last)) return;
  for (const name of names(house, ['option', 'scope'], last)) yield `${line.slice(0, at)}${name} `;
}

const ENTRY = /^((?:json +)?help +(option|scope|module) +)(\S*)$/;
const CONFIG = /^config +(?:get|eval|set|unset|show|showrecurse|locate) /;

function names(house: House, subjects: readonly Subject[], begun: string): readonly string[] {
  const wanted = begun.toLowerCase();
  return subjects
    .flatMap((subject) => house.manual.names(subject))
    .filter((name) => name.startsWith(wanted) && name !== wanted);
}
