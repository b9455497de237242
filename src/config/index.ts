/** From the text of configuration files to immutable generations of checked values. */

export { configCommand, writeConfigCommand } from './command.ts';
export * from './config-options.ts';
export * from './declare.ts';
export * from './duration.ts';
export * from './errors.ts';
export * from './generation.ts';
export {
  LiveConfiguration,
  type LoadedConfiguration,
  type LoadOptions,
  loadConfiguration,
} from './live-configuration.ts';
export * from './option.ts';
export * from './search-path.ts';
export { type CommandResult, type ConfigSession, configSession } from './session.ts';
export type { SourceFile } from './sources.ts';
export * from './value-lists.ts';
export * from './value-types.ts';
