import { readScram, type ScramSecret } from './scram-secret.ts';

/** What a credentials file cannot be: the message names the line, and never what stands in it. */
export class CredentialsError extends Error {
  readonly code = 'IMP_CREDENTIALS';
}

/** `user:password`, split at the first colon. Of two lines for one user the first counts. */
export function readPasswords(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { line, number } of linesOf(text)) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new CredentialsError(`line ${number} is not user:password`);
    const user = line.slice(0, colon);
    if (!found.has(user)) found.set(user, line.slice(colon + 1));
  }
  return found;
}

/** By user, then by realm: MD5 in lower-case hexadecimal. */
export type DigestLines = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** `user:realm:MD5(user:realm:password)`, as htdigest writes it. A user with two realms has two lines. */
export function readDigests(text: string): DigestLines {
  const found = new Map<string, Map<string, string>>();
  for (const { line, number } of linesOf(text)) {
    const [, user, realm, digest] = /^([^:]+):([^:]*):([0-9a-fA-F]{32})$/.exec(line) ?? [];
    if (user === undefined || realm === undefined || digest === undefined)
      throw new CredentialsError(`line ${number} is not user:realm:MD5`);
    const realms = found.get(user) ?? new Map<string, string>();
    if (!realms.has(realm)) realms.set(realm, digest.toLowerCase());
    found.set(user, realms);
  }
  return found;
}

/** `user:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`. */
export function readScrams(text: string): ReadonlyMap<string, ScramSecret> {
  const found = new Map<string, ScramSecret>();
  for (const { line, number } of linesOf(text)) {
    const colon = line.indexOf(':');
    const secret = colon < 1 ? undefined : readScram(line.slice(colon + 1));
    if (secret === undefined)
      throw new CredentialsError(`line ${number} is not user:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`);
    const user = line.slice(0, colon);
    if (!found.has(user)) found.set(user, secret);
  }
  return found;
}

/** Groups in their order, each with its users. */
export type GroupLines = ReadonlyMap<string, ReadonlySet<string>>;

/** `group:u1,u2` or `group:unused:u1,u2`, as /etc/group and htgroup files are. Two lines of one group add up. */
export function readGroups(text: string): GroupLines {
  const found = new Map<string, Set<string>>();
  for (const { line, number } of linesOf(text)) {
    const parts = line.split(':');
    const [group = '', second = '', third] = parts;
    if (group.trim() === '' || parts.length < 2 || parts.length > 3)
      throw new CredentialsError(`line ${number} is not group:user,user`);
    const users = found.get(group.trim()) ?? new Set<string>();
    for (const user of (third ?? second).split(',')) if (user.trim() !== '') users.add(user.trim());
    found.set(group.trim(), users);
  }
  return found;
}

/** The user names of /etc/passwd by number; lines that are none are skipped, since the file is not ours. */
export function readUserNames(text: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { line } of linesOf(text)) {
    const [, name, number] = /^([^:]+):[^:]*:(\d{1,10}):/.exec(line) ?? [];
    if (name !== undefined && !found.has(Number(number))) found.set(Number(number), name);
  }
  return found;
}

/** Without comments, blank lines, and the CR of files that were written elsewhere. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.trim() === '' || line.startsWith('#')) continue;
    yield { line, number };
  }
}
