import { dirname, isAbsolute, join } from 'node:path';
import { type Disk, DiskError } from '../../world/index.ts';
import { ConfigError } from '../errors.ts';
import { diskReason } from '../files/disk-text.ts';
import type { Place, RawValue } from '../option.ts';
import { spelling } from '../schema/spelling.ts';
import type { Assignment, Stanza } from '../tree/stanza.ts';

/** What stands behind an option that names something to be read. */
type Kind = 'file' | 'file or directory' | 'uri' | 'entries';

/**
 * Options whose value names a file that the server reads. Scopes are those in which the name means that; without any it
 * means it wherever it stands. A `uri` names a file where its scheme says so; others (databases, sockets) are not asked.
 * Of `entries` those whose name says so lead to a file.
 */
const READ: Readonly<Record<string, { readonly kind: Kind; readonly scopes?: readonly string[] }>> = {
  tls_certificate: { kind: 'file' },
  tls_key: { kind: 'file' },
  tls_ca: { kind: 'file or directory' },
  tls_client_ca: { kind: 'file or directory' },
  tls_dhparams_file: { kind: 'file' },
  resolv_conf: { kind: 'file' },
  key: { kind: 'file', scopes: ['dkim_sign', 'opendkim', 'securecreds'] },
  schedule_file: { kind: 'file', scopes: ['curfew'] },
  seedlist_file: { kind: 'file', scopes: ['seedlist'] },
  source: { kind: 'file', scopes: ['script'] },
  authcrammd5parameters: { kind: 'uri' },
  authdigestmd5parameters: { kind: 'uri' },
  authloginparameters: { kind: 'uri' },
  authoauthbearerparameters: { kind: 'entries' },
  authplainparameters: { kind: 'uri' },
  authscramsha256parameters: { kind: 'uri' },
  authxoauth2parameters: { kind: 'entries' },
  authorizationparameters: { kind: 'uri' },
};

/** Schemes of parameter dictionaries behind which a password file stands. */
const FILE_SCHEMES = /^(?:file|digest|scram|groups|passwd|htpasswd):\/\//i;

interface Reference {
  readonly option: string;
  readonly path: string;
  readonly place: Place;
  readonly kind: Kind;
}

/**
 * Looks at every file that the options of a configuration name for reading.
 *
 * @param directories where a relative name is looked for, behind the directory of the file that it stands in, as with
 *   includes
 * @param errors where what cannot be read is added, with its place
 */
export async function checkReadFiles(
  disk: Disk,
  tree: Stanza,
  directories: readonly string[],
  errors: ConfigError[],
): Promise<void> {
  const known = new Map<string, string | undefined>();
  for (const reference of referencesIn(tree)) {
    const { path, place, option } = reference;
    const paths = isAbsolute(path) ? [path] : [dirname(place.file), ...directories].map((each) => join(each, path));
    let why: string | undefined;
    for (const each of paths) {
      const key = `${reference.kind} ${each}`;
      if (!known.has(key)) known.set(key, await unreadable(disk, each, reference.kind));
      why = known.get(key);
      if (why !== MISSING) break;
    }
    if (why !== undefined)
      errors.push(new ConfigError(`${spelling(option)} = ${path}: cannot be read: ${why}`, { place, near: path }));
  }
}

const MISSING = 'no such file or directory';

function* referencesIn(stanza: Stanza): Iterable<Reference> {
  for (const [name, assigned] of stanza.options) {
    const row = Object.hasOwn(READ, name) ? READ[name] : undefined;
    if (row && (row.scopes === undefined || row.scopes.includes(stanza.type)))
      yield* referenced(name, row.kind, assigned);
  }
  for (const ofType of stanza.children.values()) for (const child of ofType.values()) yield* referencesIn(child);
}

function* referenced(option: string, kind: Kind, assigned: Assignment): Iterable<Reference> {
  for (const value of namesIn(kind, assigned.value)) {
    const { text, at } = value?.kind === 'text' ? value : { text: '', at: assigned.at };
    const path = kind === 'uri' ? filePath(text) : text;
    // A name with macros stands for many files, which only a message can tell.
    if (path === undefined || path === '' || path.includes('%{')) continue;
    yield { option, path, place: at, kind };
  }
}

function namesIn(kind: Kind, value: RawValue): readonly (RawValue | undefined)[] {
  if (kind === 'uri') return [uriOf(value)];
  if (kind !== 'entries') return [value];
  const entries = value.kind === 'dictionary' ? value.entries : [];
  return entries.filter(({ key }) => /_file$/i.test(key)).map((entry) => entry.value);
}

function uriOf(value: RawValue): RawValue | undefined {
  return value.kind === 'dictionary'
    ? value.entries.findLast((entry) => entry.key.toLowerCase() === 'uri')?.value
    : undefined;
}

function filePath(uri: string): string | undefined {
  const scheme = FILE_SCHEMES.exec(uri)?.[0];
  return scheme === undefined ? undefined : uri.slice(scheme.length);
}

/** @returns why it cannot be read */
async function unreadable(disk: Disk, path: string, kind: Kind): Promise<string | undefined> {
  try {
    const status = await disk.status(path);
    if (!status) return MISSING;
    if (status.kind === 'directory')
      return kind === 'file or directory' ? await listable(disk, path) : 'it is a directory';
    if (status.kind === 'socket') return 'it is a socket';
    await (await disk.open(path, 'read')).close();
    return undefined;
  } catch (error) {
    if (error instanceof DiskError) return diskReason(error);
    throw error;
  }
}

async function listable(disk: Disk, path: string): Promise<undefined> {
  await disk.list(path);
}
