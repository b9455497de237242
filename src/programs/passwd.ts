import { isAbsolute, join } from 'node:path';
import { digestOf, ITERATIONS, saslprep, scramSecret, scramText } from '../auth/index.ts';
import type { Terminal } from '../console/index.ts';
import { DiskError, type Process, type World } from '../world/index.ts';
import { commandNamed, understood, wholeNumber } from './command-line.ts';
import { putLine } from './password-file.ts';

/** What these programs need of the shell. */
export interface PasswordShell {
  readonly world: Pick<World, 'disk' | 'chance' | 'hashing'>;
  readonly process: Process;
  terminal(): Pick<Terminal, 'secret' | 'lines'>;
}

const FAILED = 1;
/** As Momentum has it where nothing else is said. */
const REALM = 'Momentum Console';
/** More than the least that RFC 7677 allows; the work is the client's, save for passwords in clear. */
const ROUNDS = 10_000;
/** Longest name and password, in bytes: far beyond what anybody types. */
const MOST_BYTES = 255;

interface Words {
  readonly file?: string;
  readonly realm?: string;
  readonly digest?: boolean;
  readonly iterations?: number;
}

/**
 * `impetus passwd [-f FILE] [--digest [-r REALM]] [USER]`: a line for a `scram://` or a `digest://` file. The password is
 * asked for twice; when standard input is no terminal it is read there, once.
 *
 * @returns 0, 1 when it did not work, 2 usage
 */
export async function passwdProgram(shell: PasswordShell, words: readonly string[]): Promise<number> {
  const { process } = shell;
  const command = commandNamed('impetus passwd', 'Makes or changes the password of a user of the console.', process)
    .argument('[user]', 'the user; asked for when it is left out')
    .option('-f, --file <file>', 'file to put the line into; without one it is printed')
    .option('--digest', 'a line for digest:// files, as ec_md5passwd makes them, and not for scram:// files')
    .option('-r, --realm <realm>', 'realm of --digest (default: $EC_DIGEST_REALM, else Momentum Console)')
    .option('--iterations <number>', 'work of a SCRAM line', wholeNumber(ITERATIONS.least, ITERATIONS.most));
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const options = command.opts<Words>();
  if (options.realm !== undefined && options.digest !== true)
    return failed(process, 'a realm is for --digest: SCRAM has none', 2);
  const kind = options.digest === true ? 'digest' : 'scram';
  return change(shell, { ...options, kind, user: command.args[0], password: undefined, name: 'impetus passwd' });
}

/** `ec_md5passwd [-h] [-f FILE] [-r REALM] [USER [PASSWORD]]`, as its manual page has it. @returns as `impetus passwd` */
export async function md5passwdProgram(shell: PasswordShell, words: readonly string[]): Promise<number> {
  const command = commandNamed('ec_md5passwd', 'Makes or changes a line of a digest file.', shell.process)
    .argument('[user]', 'the user; asked for when it is left out')
    .argument('[password]', 'the password, which others may see among the processes; asked for when it is left out')
    .option('-f, --file <file>', 'file to put the line into; without one it is printed')
    .option('-r, --realm <realm>', 'realm (default: $EC_DIGEST_REALM, else Momentum Console)');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const [user, password] = command.args;
  return change(shell, { ...command.opts<Words>(), kind: 'digest', user, password, name: 'ec_md5passwd' });
}

interface Wish extends Words {
  readonly kind: 'scram' | 'digest';
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly name: string;
}

async function change(shell: PasswordShell, wish: Wish): Promise<number> {
  const { world, process } = shell;
  const questions = new Questions(shell);
  const user = wish.user ?? (await questions.user());
  const realm = wish.realm ?? (process.environment('EC_DIGEST_REALM') || REALM);
  const trouble = troubleWith('user name', user, ':,') ?? troubleWith('realm', realm, ':');
  if (trouble !== undefined || user === undefined) return failed(process, `${wish.name}: ${trouble}`);
  const password = wish.password ?? (await questions.password(user));
  if (typeof password !== 'string') return failed(process, `${wish.name}: ${password.why}`);
  const bad = troubleWith('password', password, '');
  if (bad !== undefined) return failed(process, `${wish.name}: ${bad}`);
  const line =
    wish.kind === 'digest'
      ? `${user}:${realm}:${digestOf(user, realm, password)}`
      : `${user}:${await scramOf(shell, password, wish.iterations ?? ROUNDS)}`;
  if (wish.file === undefined) {
    process.complain('Password updated.\nPlace or replace this line in your password file:\n');
    process.say(`${line}\n`);
    return 0;
  }
  const path = isAbsolute(wish.file) ? wish.file : join(process.directory, wish.file);
  try {
    await putLine(world.disk, path, wish.kind === 'digest' ? `${user}:${realm}:` : `${user}:`, line);
  } catch (error) {
    if (error instanceof DiskError) return failed(process, `${wish.name}: ${error.message}`);
    throw error;
  }
  process.say('Password updated.\n');
  return 0;
}

async function scramOf({ world }: PasswordShell, password: string, iterations: number): Promise<string> {
  const salt = world.chance.bytes(16);
  const prepared = Buffer.from(saslprep(password) ?? password);
  return scramText(scramSecret(await world.hashing.pbkdf2(prepared, salt, iterations), salt, iterations));
}

/** What is asked for at the keyboard; of a batch the lines of standard input, in this order. */
class Questions {
  readonly #shell: PasswordShell;
  #lines: string[] | undefined;

  constructor(shell: PasswordShell) {
    this.#shell = shell;
  }

  async user(): Promise<string | undefined> {
    const { process } = this.#shell;
    if (!process.isTerminal.input) return this.#line();
    const reading = { prompt: () => 'Username: ', complete: async () => [], interrupted: () => undefined };
    for await (const line of this.#shell.terminal().lines(reading)) return line.trim();
    return undefined;
  }

  async password(user: string): Promise<string | { readonly why: string }> {
    const { process } = this.#shell;
    const nothing = { why: 'no password' };
    if (!process.isTerminal.input) return (await this.#line()) ?? nothing;
    const terminal = this.#shell.terminal();
    process.complain(`Please enter password for ${user}\n`);
    const first = await terminal.secret('Password: ');
    if (first === undefined) return nothing;
    process.complain('Please enter the password again\n');
    const again = await terminal.secret('Password: ');
    return first === again ? first : { why: 'the passwords are not the same' };
  }

  async #line(): Promise<string | undefined> {
    if (this.#lines === undefined) {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of this.#shell.process.input()) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > 4 * MOST_BYTES) break;
      }
      this.#lines = Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
      if (this.#lines.at(-1) === '') this.#lines.pop();
    }
    return this.#lines.shift();
  }
}

/** @param forbidden  characters that would end a field */
function troubleWith(what: string, text: string | undefined, forbidden: string): string | undefined {
  if (text === undefined || text === '') return `no ${what}`;
  if (Buffer.byteLength(text) > MOST_BYTES) return `the ${what} has more than ${MOST_BYTES} bytes`;
  if (/[\x00-\x1f\x7f]/.test(text)) return `control characters are not allowed in a ${what}`;
  if (what === 'user name' && text.startsWith('#')) return 'a user name may not begin with #: such lines are comments';
  const found = [...forbidden].find((character) => text.includes(character));
  return found === undefined ? undefined : `'${found}' is not allowed in a ${what}`;
}

function failed(process: Process, why: string, code = FAILED): number {
  process.complain(`${why}\n`);
  return code;
}
