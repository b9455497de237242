import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Values } from './mail-in.ts';

/**
 * A conversation in a file. Lines begin with
 *   `#`  what it shows, on the first line
 *   `O:` an option, `name = value`, `name = ( one "two three" )`, `name = [ key=value … ]` or `name = "text with \n"`
 *   `C:` a line of the client; lines in a row are sent together
 *   `R:` the same as a JSON string, without a line end of its own
 *   `S:` a line of the server; `*` stands for anything
 *   `F: /path content`  a line of a file with credentials
 *   `T: 20` so many seconds pass before the replies are looked at
 *   `X: closed` the server ends the connection
 */
export interface Dialogue {
  readonly name: string;
  readonly title: string;
  readonly options: Values;
  /** Lines of files, by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly turns: readonly Turn[];
  readonly closes: boolean;
}

/** What the client sends at once, and what it then gets. */
export interface Turn {
  readonly sent: string;
  readonly seconds: number;
  readonly expected: readonly string[];
}

export function dialogues(): readonly Dialogue[] {
  const folder = import.meta.dirname;
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  return names.map((name) => parse(name.slice(0, -4), readFileSync(join(folder, name), 'utf8')));
}

function parse(name: string, text: string): Dialogue {
  const options: Record<string, Values[string]> = {};
  const files = new Map<string, string>();
  const turns: { sent: string; seconds: number; expected: string[] }[] = [];
  let title = name;
  let closes = false;
  let turn = { sent: '', seconds: 0, expected: [] as string[] };
  turns.push(turn);
  const send = (bytes: string): void => {
    if (turn.expected.length > 0) turns.push((turn = { sent: '', seconds: 0, expected: [] }));
    turn.sent += bytes;
  };
  for (const [index, line] of text.split('\n').entries()) {
    const rest = line.slice(3);
    switch (line.slice(0, 2)) {
      case '# ':
        title = line.slice(2);
        break;
      case 'O:':
        Object.assign(options, option(rest));
        break;
      case 'C:':
        send(`${rest}\r\n`);
        break;
      case 'R:':
        send(String(JSON.parse(rest)));
        break;
      case 'F:': {
        const blank = rest.indexOf(' ');
        const path = rest.slice(0, blank);
        files.set(path, `${files.get(path) ?? ''}${rest.slice(blank + 1)}\n`);
        break;
      }
      case 'T:':
        turn.seconds = Number(rest);
        break;
      case 'S:':
        turn.expected.push(rest);
        break;
      case 'X:':
        closes = true;
        break;
      default:
        if (line !== '') throw new Error(`${name}.txt:${index + 1}: ${line}`);
    }
  }
  return { name, title, options, files, turns, closes };
}

function option(text: string): Values {
  const equals = text.indexOf('=');
  const value = text.slice(equals + 1).trim();
  const list = /^\(\s*(.*?)\s*\)$/.exec(value)?.[1];
  const dictionary = /^\[\s*(.*?)\s*\]$/.exec(value)?.[1];
  if (dictionary !== undefined) {
    const pairs = dictionary
      .split(/\s+/)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
    return { [text.slice(0, equals).trim()]: Object.fromEntries(pairs) };
  }
  const read =
    list !== undefined
      ? (list.match(/"[^"]*"|\S+/g) ?? []).map((item) => item.replaceAll('"', ''))
      : value.startsWith('"')
        ? String(JSON.parse(value))
        : value;
  return { [text.slice(0, equals).trim()]: read };
}

/** Whether the lines are those, `*` standing for anything. */
export function matches(said: string, expected: readonly string[]): boolean {
  const pattern = expected.map((line) =>
    line
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*'),
  );
  return new RegExp(`^${pattern.map((line) => `${line}\r\n`).join('')}$`).test(said);
}
