import { arrayOf, duration, type Option, option, ownOption, type Pattern, path, regex } from '../config/index.ts';

/** How long a console may say nothing before it is closed; 0 = for ever. */
export const timeout = option('timeout', duration, { scope: 'control_listener' });

/** Commands that a role may run: patterns that are searched in the whole line. */
export const allow = option<readonly Pattern[]>('allow', arrayOf(regex), { scope: 'role' });

export const loginDirectory = ownOption('login_directory', path, {
  scopes: ['control_listener'],
  initial: '/tmp',
  summary: 'sticky directory of root in which clients of a Unix socket show which user they are',
});

/** Every option that consoles read, besides those of logging in. */
export const consoleOptions: readonly Option<unknown>[] = [timeout, allow, loginDirectory];

/** The stanzas that only consoles read. */
export const consoleStanzas: readonly string[] = ['authorization', 'role'];
