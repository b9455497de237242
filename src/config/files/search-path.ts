import { ConfigError } from '../errors.ts';

/**
 * The directories in which the main file, and included ones, are looked for (spec: files and search path).
 *
 * @param options `variable` is the value of IMPETUS_CONF_SEARCH_PATH or EC_CONF_SEARCH_PATH, which replaces the default:
 *   `<etc>/conf/global`, `<etc>/conf/<node>`, `<etc>/conf/default`, `<etc>`
 * @throws ConfigError for a node name that would lead out of the directory
 */
export function searchPath(options: {
  readonly nodeName: string;
  readonly etc?: string;
  readonly variable?: string | undefined;
}): readonly string[] {
  const { nodeName, etc = '/etc/impetus', variable } = options;
  if (nodeName === '' || nodeName === '.' || nodeName === '..' || nodeName.includes('/') || nodeName.includes('\0')) {
    throw new ConfigError(
      `'${nodeName}' cannot be the name of a node: it names a directory, so it is not empty, . or .. and holds no /`,
    );
  }
  if (variable === undefined || variable === '')
    return [`${etc}/conf/global`, `${etc}/conf/${nodeName}`, `${etc}/conf/default`, etc];
  return (
    variable
      .split(':')
      // Without a cluster there is no subcluster, and a path that needs one means nothing.
      .filter((element) => element !== '' && !element.includes('{SUBCLUSTER}'))
      .map((element) => element.replaceAll('{NODENAME}', nodeName))
  );
}
