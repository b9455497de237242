import type { Disk, Process } from '../../world/index.ts';
import type { AskCredentials } from './log-in.ts';
import type { EndpointTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

/** The environment variable with a password for batches. */
export const PASSWORD_VARIABLE = 'EC_CONSOLE_PASSWORD';
/** How often somebody at a keyboard may try: as often as the server listens. */
const TRIES = 3;
/** Longest file with a password. */
const MOST_BYTES = 4096;

export interface CredentialParts {
  readonly process: Process;
  readonly terminal: Pick<Terminal, 'secret' | 'write'>;
  readonly disk: Pick<Disk, 'read' | 'status'>;
  /** `--password-file`, absolute. */
  readonly passwordFile: string | undefined;
}

/**
 * Who logs in, and where the password comes from: a file, the environment, or the keyboard. What has worked is
 * remembered for the next connection.
 *
 * @returns a sentence when it cannot be known who logs in, or the file cannot be read
 */
export async function credentialsFor(
  target: EndpointTarget,
  { process, terminal, disk, passwordFile }: CredentialParts,
): Promise<AskCredentials | string> {
  const user = target.user ?? (process.environment('USER') || process.environment('LOGNAME'));
  if (user === undefined || user === '') return 'nobody is named to log in: write user@address:port';
  let known = passwordFile === undefined ? process.environment(PASSWORD_VARIABLE) : undefined;
  if (passwordFile !== undefined) {
    try {
      const size = (await disk.status(passwordFile))?.size ?? 0;
      if (size > MOST_BYTES) return `${passwordFile}: more than ${MOST_BYTES} bytes, which is no password`;
      known = Buffer.from(await disk.read(passwordFile))
        .toString('utf8')
        .split(/\r?\n/, 1)[0];
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  const given = known !== undefined;
  let tries = 0;
  return async (again) => {
    if (again) known = undefined;
    if (known !== undefined) return { user, password: known };
    if (given || !process.isTerminal.input || tries >= TRIES) return undefined;
    if (tries++ === 0) await terminal.write(Buffer.from('Authorization required for console session\n'));
    known = await terminal.secret('Password: ');
    return known === undefined ? undefined : { user, password: known };
  };
}
