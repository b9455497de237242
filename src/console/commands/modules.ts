import type { Command, Output } from '../command.ts';

export const moduleList: Command = {
  words: 'module list',
  summary: 'loaded modules and their instances',
  usage: 'module list',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    for (const { scope, instance, enabled, kind, name, description } of house.modules.list()) {
      yield `Module: ${instance === undefined ? scope : `${scope}:${instance}`}\n`;
      yield `  Scope_Name: ${scope}\n`;
      if (instance !== undefined) yield `  Instance_Name: ${instance}\n`;
      yield `  Enabled: ${enabled ? 'enabled' : 'disabled'}\n`;
      yield `  API: ${kind}\n`;
      yield `  Name: ${name}\n`;
      yield `  Description: ${description}\n`;
    }
    return 'ok';
  },
};
