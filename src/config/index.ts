/** From the text of configuration files to immutable generations of checked values. */

export { configCommand, writeConfigCommand } from './commands/command.ts';
export { type CommandResult, type ConfigSession, configSession } from './commands/session.ts';
export * from './errors.ts';
export * from './files/search-path.ts';
export type { SourceFile } from './files/sources.ts';
export * from './live/generation.ts';
export {
  LiveConfiguration,
  type LoadedConfiguration,
  type LoadOptions,
  loadConfiguration,
} from './live/live-configuration.ts';
export * from './option.ts';
export type { Pattern, PatternMatch } from './patterns/pattern.ts';
export * from './schema/config-options.ts';
export * from './schema/declare.ts';
export * from './values/duration.ts';
export * from './values/value-lists.ts';
export * from './values/value-types.ts';
