import { ValueError } from '../config/index.ts';
import { filled, namesIn, type Parameters } from './ldap-url.ts';

/** Commands after which the connection is not what it was, or which wait: others use it next. */
const UNFIT = new Set(
  (
    'auth,blmove,blmpop,blpop,brpop,brpoplpush,bzmpop,bzpopmax,bzpopmin,client,discard,exec,hello,monitor,multi,psubscribe,' +
    'psync,quit,replicaof,reset,select,shutdown,slaveof,ssubscribe,subscribe,sync,unwatch,wait,waitaof,watch'
  ).split(','),
);

/**
 * The words of a command: `HGET user:$user password`. Blanks part them, and quotes hold a word together. What a parameter
 * has in it stays in the word it stands in.
 *
 * @throws ValueError
 */
export function readRedis(query: string): readonly string[] {
  const words: string[] = [];
  const word = /\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+)(?=\s|$)/y;
  while (word.lastIndex < query.length && query.slice(word.lastIndex).trim() !== '') {
    const [, found] = word.exec(query) ?? [];
    if (found === undefined)
      throw new ValueError('a Redis command whose quotes are closed, with blanks between its words');
    words.push(
      found.startsWith('"')
        ? found.slice(1, -1).replace(/\\(.)/g, '$1')
        : found.startsWith("'")
          ? found.slice(1, -1)
          : found,
    );
  }
  const [command = ''] = words;
  if (command === '' || command.includes('$')) throw new ValueError('a Redis command');
  if (UNFIT.has(command.toLowerCase())) throw new ValueError(`a Redis command that only asks; ${command} is none`);
  return words;
}

export const redisNames = (query: string): readonly string[] => readRedis(query).flatMap(namesIn);

/** @throws ValueError */
export const bindRedis = (
  query: string,
  parameters: Parameters,
): { readonly kind: 'redis'; readonly words: readonly string[] } => ({
  kind: 'redis',
  words: readRedis(query).map((text) => filled({ text, quoted: (value) => value }, parameters)),
});
