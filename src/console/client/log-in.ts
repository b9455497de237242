import { type ClientMechanism, type ClientStep, digestClient, loginClient, scramClient } from '../../auth/index.ts';
import type { Chance, Disk, Hashing } from '../../world/index.ts';
import { isProofFor, PRIVATE } from '../system-user.ts';
import type { Link, Reply } from './link.ts';
import type { EndpointTarget } from './target.ts';

export interface LogInParts {
  readonly chance: Pick<Chance, 'bytes'>;
  readonly hashing: Hashing;
  readonly disk: Pick<Disk, 'status' | 'makeDirectory' | 'remove'>;
  /** Something that the operator should read, and that is no error. */
  warn(text: string): void;
}

/** Who logs in, and with what. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Asks for credentials: again after those of the last call were wrong. Undefined: there are none (any more). */
export type AskCredentials = (again: boolean) => Promise<Credentials | undefined>;

export type LoggedIn =
  | { readonly kind: 'in' }
  | { readonly kind: 'failed' | 'lost'; readonly why: string }
  | { readonly kind: 'timeout' };

/** Does what a server's hello asks for, until commands may be given. */
export async function logIn(
  link: Link,
  target: EndpointTarget,
  ask: AskCredentials,
  parts: LogInParts,
): Promise<LoggedIn> {
  const { login, prove } = link.hello;
  if (login !== undefined) return logInWith(link, login, target, ask, parts);
  if (prove !== undefined && target.endpoint.kind === 'unix' && isProofFor(prove, target.endpoint.path))
    await proveUser(link, prove, parts);
  return { kind: 'in' };
}

async function logInWith(
  link: Link,
  offered: readonly string[],
  target: EndpointTarget,
  ask: AskCredentials,
  parts: LogInParts,
): Promise<LoggedIn> {
  const name = KNOWN.find((each) => offered.includes(each));
  if (name === undefined)
    return {
      kind: 'failed',
      why: `the server takes ${offered.join(', ') || 'no login'} only, which is not known here`,
    };
  if (name === 'LOGIN' && !isPrivate(target)) parts.warn('the password goes over the network in clear');
  let why = 'a password is wanted: --password-file or $EC_CONSOLE_PASSWORD give one to a batch';
  for (let again = false; ; again = true) {
    const credentials = await ask(again);
    if (credentials === undefined) return { kind: 'failed', why };
    const random = Buffer.from(parts.chance.bytes(18)).toString('base64');
    const reply = await converse(link, machineOf(name, credentials, link.hello.host, random), parts.hashing);
    switch (reply.kind) {
      case 'in':
      case 'failed':
      case 'timeout':
        return reply;
      case 'denied':
        why = reply.why;
        break;
      case 'lost':
        // A server that has had enough says so and closes.
        return { kind: again ? 'failed' : 'lost', why: reply.why };
    }
  }
}

const KNOWN = ['SCRAM-SHA-256', 'DIGEST-MD5', 'LOGIN'] as const;

function machineOf(
  name: (typeof KNOWN)[number],
  { user, password }: Credentials,
  host: string,
  random: string,
): ClientMechanism {
  switch (name) {
    case 'SCRAM-SHA-256':
      return scramClient(user, password, random);
    case 'DIGEST-MD5':
      return digestClient(user, password, `console/${host}`, random);
    case 'LOGIN':
      return loginClient(user, password);
  }
}

async function converse(
  link: Link,
  machine: ClientMechanism,
  hashing: Hashing,
): Promise<LoggedIn | { readonly kind: 'denied'; readonly why: string }> {
  const first = await derived(machine.begin(), hashing);
  if (first.kind === 'failed') return first;
  const name = Buffer.from(machine.name);
  let reply: Reply = await link.show(
    'login',
    first.bytes === undefined ? name : Buffer.concat([name, Uint8Array.of(0), first.bytes]),
  );
  while (reply.kind === 'challenge') {
    const step = await derived(machine.challenge(reply.bytes), hashing);
    if (step.kind === 'failed') return step;
    reply = await link.show('respond', step.bytes ?? new Uint8Array(0));
  }
  switch (reply.kind) {
    case 'granted':
      // Who does not know the password himself may be anybody who listens on that port.
      return machine.granted(reply.bytes)
        ? { kind: 'in' }
        : { kind: 'failed', why: 'the server has not shown that it knows the password' };
    case 'denied':
      return { kind: 'denied', why: Buffer.from(reply.bytes).toString('utf8') };
    default:
      return reply;
  }
}

async function derived(first: ClientStep, hashing: Hashing): Promise<Exclude<ClientStep, { kind: 'derivation' }>> {
  let step = first;
  while (step.kind === 'derivation')
    step = step.derived(await hashing.pbkdf2(step.password, step.salt, step.iterations));
  return step;
}

/** Makes the directory that shows who we are. Where that does not work, the server takes us for nobody. */
async function proveUser(link: Link, path: string, { disk }: LogInParts): Promise<void> {
  try {
    // Only into what is there: making a path is not asked for.
    if ((await disk.status(path.slice(0, path.lastIndexOf('/')) || '/'))?.kind !== 'directory') return;
    await disk.makeDirectory(path, PRIVATE);
  } catch {
    return;
  }
  await link.show('proved', new Uint8Array(0));
  await disk.remove(path).catch(() => undefined);
}

const isPrivate = ({ endpoint, ssh }: EndpointTarget): boolean =>
  ssh !== undefined || endpoint.kind === 'unix' || endpoint.ip.startsWith('127.') || endpoint.ip === '::1';
