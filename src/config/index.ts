/** From the text of configuration files to immutable generations of checked values. */

export { type CheckOptions, type CheckResult, checkConfiguration } from './check/check-configuration.ts';
export { configCommand, writeConfigCommand } from './commands/command.ts';
export { type CommandResult, type ConfigSession, configSession } from './commands/session.ts';
export * from './errors.ts';
export type { RemoteIncludes } from './files/remote.ts';
export * from './files/search-path.ts';
export type { ReadOnlyReason, SourceFile } from './files/source-file.ts';
export { lintRules } from './lint/rules.ts';
export type { Effects, KnownPair, ModuleEffects, SocketEffects } from './live/effects.ts';
export * from './live/generation.ts';
export {
  LiveConfiguration,
  type LoadedConfiguration,
  loadConfiguration,
  restartText,
} from './live/live-configuration.ts';
export type { LoadOptions } from './live/parts.ts';
export * from './manual/coverage-text.ts';
export { type SchemaDocument, schemaDocument } from './manual/document.ts';
export { documentSchema } from './manual/document-schema.ts';
export { askManual, type ManualAnswer } from './manual/entry-text.ts';
export { Manual, SUBJECTS, type Subject } from './manual/manual.ts';
export * from './option.ts';
export type { Pattern, PatternMatch } from './patterns/pattern.ts';
export * from './schema/config-options.ts';
export * from './schema/declare.ts';
export { configSchema } from './schema/schema.ts';
export * from './shape.ts';
export { type UsedSetting, usedSettings } from './tree/usage.ts';
export { concealed, SECRET_NAMES } from './values/conceal.ts';
export * from './values/duration.ts';
export * from './values/value-lists.ts';
export * from './values/value-types.ts';
