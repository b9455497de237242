/** From the text of configuration files to immutable generations of checked values. */
export * from './option.ts';
export * from './generation.ts';
export * from './errors.ts';
export * from './declare.ts';
export * from './value-types.ts';
export * from './value-lists.ts';
export * from './duration.ts';
export * from './search-path.ts';
export * from './config-options.ts';
export { loadConfiguration, LiveConfiguration, type LoadedConfiguration, type LoadOptions } from './live-configuration.ts';
export type { NotImplemented } from './merge.ts';
export type { SourceFile } from './sources.ts';
export { configCommand, writeConfigCommand } from './command.ts';
export { configSession, type CommandResult, type ConfigSession } from './session.ts';
