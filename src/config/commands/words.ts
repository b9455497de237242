import { ConfigError } from '../errors.ts';
import { restartText } from '../live/live-configuration.ts';
import type { Word } from './path.ts';

/** @throws ConfigError when something stands behind the option at that index */
export function onlyOption(words: readonly Word[], at: number): void {
  const more = words[at + 1];
  if (more) throw new ConfigError(`'${more.text}' behind the option`);
}

/** `Warning: "X" cannot be changed at run time; restart to apply.` */
export function restartWarning(name: string): string {
  return `Warning: ${restartText(name)}.`;
}
