import { BUILT_IN, ConfigError, type Generation, type Place, type SettingStanza } from '../config/index.ts';
import type { Stores } from '../world/index.ts';
import { settingsOf, threads } from './datasources.ts';
import * as options from './options.ts';
import type { StoreUri } from './store-uri.ts';

/**
 * What a commit would do with datasources that cannot work at all.
 *
 * @returns errors, each at its place
 */
export async function datasourceErrors(
  generation: Generation,
  stores: Pick<Stores, 'missing'>,
): Promise<readonly ConfigError[]> {
  const errors: ConfigError[] = [];
  const stanzas = generation.settings(options.datasourceOptions).filter(isDatasource);
  const withUri = new Set(stanzas.filter((each) => each.placeOf(options.uri) !== undefined).map(nameOf));
  for (const name of generation.instances('datasource'))
    if (!withUri.has(name))
      errors.push(new ConfigError(`Datasource "${name}" has no uri`, { place: placeOf(stanzas, name) }));
  for (const stanza of stanzas) {
    const pool = stanza.get(options.pool);
    if (threads(generation, pool) === undefined)
      errors.push(new ConfigError(`there is no ThreadPool "${pool}"`, { place: stanza.placeOf(options.pool) }));
    if (stanza.placeOf(options.uri) === undefined) continue;
    const error = await uriError(stanza, stores);
    if (error !== undefined)
      errors.push(new ConfigError(`Datasource "${nameOf(stanza)}": ${error}`, { place: stanza.placeOf(options.uri) }));
  }
  return errors;
}

async function uriError(stanza: SettingStanza, stores: Pick<Stores, 'missing'>): Promise<string | undefined> {
  const uris = stanza.get(options.uri) ?? [];
  if (uris.length === 0) return 'uri names no store';
  const kinds = [...new Set(uris.map((uri) => uri?.kind))];
  if (kinds.length > 1) return 'its uris take turns, and must be of one driver';
  const [kind] = kinds;
  const missing = kind === undefined ? undefined : await stores.missing(kind);
  return missing === undefined
    ? undefined
    : `the driver ${kind} needs the npm package ${missing}, which is not installed: npm install ${missing}`;
}

/** What an operator should know and stops nothing. */
export function datasourceWarnings(
  generation: Pick<Generation, 'settings' | 'stanza'>,
): readonly { readonly place: Place; readonly text: string }[] {
  const stanzas = generation.settings(options.datasourceOptions);
  const used = new Set(stanzas.filter(isDatasource).map((stanza) => stanza.get(options.pool).toLowerCase()));
  const found: { place: Place; text: string }[] = [];
  for (const stanza of stanzas) {
    const place = stanza.placeOf(options.concurrency);
    const name = nameOf(stanza);
    if (
      stanza.path.at(-1)?.type === 'threadpool' &&
      place !== undefined &&
      place.file !== BUILT_IN.file &&
      !used.has(name.toLowerCase())
    )
      found.push({ place, text: `concurrency of ThreadPool "${name}" changes nothing: no datasource uses it` });
  }
  return found;
}

/** Whether every store of a datasource answers now; for warnings of a check. @returns what is wrong, in words */
export async function unreachable(
  generation: Generation,
  stores: Stores,
): Promise<readonly { readonly place: Place; readonly text: string }[]> {
  const found: { place: Place; text: string }[] = [];
  for (const stanza of generation.settings([options.uri]).filter(isDatasource)) {
    const place = stanza.placeOf(options.uri);
    if (place === undefined) continue;
    const { uris, connectMillis } = settingsOf(generation, nameOf(stanza));
    const troubles = await Promise.all(uris.map((uri) => troubleOf(uri, stores, connectMillis)));
    for (const [at, uri] of uris.entries()) {
      const trouble = troubles[at];
      if (trouble !== undefined)
        found.push({ place, text: `Datasource "${nameOf(stanza)}": ${uri.title} cannot be used now: ${trouble}` });
    }
  }
  return found;
}

async function troubleOf(uri: StoreUri, stores: Stores, connectMillis: number): Promise<string | undefined> {
  try {
    const connection = await stores.connect(uri.target, uri.connectMillis ?? connectMillis);
    await connection.close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const isDatasource = (stanza: SettingStanza): boolean => stanza.path.at(-1)?.type === 'datasource';
const nameOf = (stanza: SettingStanza): string => stanza.path.at(-1)?.instance ?? '';

function placeOf(stanzas: readonly SettingStanza[], name: string): Place | undefined {
  const stanza = stanzas.find((each) => nameOf(each) === name);
  for (const option of options.datasourceOptions) {
    const place = stanza?.placeOf(option);
    if (place !== undefined) return place;
  }
  return undefined;
}
