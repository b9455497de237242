import { type Endpoint, endpointText } from '../base/index.ts';
import type { Terminal } from '../console/index.ts';
import { EcstreamSender, mayBeHeard, type SenderOptions } from '../ecstream/index.ts';
import { DiskError, type Process, TlsError, type World } from '../world/index.ts';

/** Words of `impetus send --ecstream` about TLS and who we are. */
export interface DoorWords {
  readonly tls?: boolean;
  readonly ca?: string;
  readonly serverName?: string;
  readonly login?: string;
  readonly passwordFile?: string;
  readonly apiKeyFile?: string;
  readonly insecureLogin?: boolean;
  readonly file?: string;
}

export interface DoorShell {
  readonly world: World;
  readonly process: Process;
  /** Undefined where nobody can be asked. */
  readonly terminal: (() => Pick<Terminal, 'secret'>) | undefined;
}

export type Door = Pick<SenderOptions, 'tls' | 'login' | 'insecureLogin'>;

/** @returns whether there are words that SMTP has no use for here */
export const asksForDoor = ({ tls, ca, serverName, login, passwordFile, apiKeyFile, insecureLogin }: DoorWords) =>
  [tls, ca, serverName, login, passwordFile, apiKeyFile, insecureLogin].some((word) => word !== undefined);

/** @returns a sentence when it makes no sense, or a file cannot be read */
export async function doorOf(shell: DoorShell, asked: DoorWords, at: Endpoint): Promise<Door | string> {
  const { tls, ca, serverName: servername, insecureLogin = false } = asked;
  const { login: user, passwordFile, apiKeyFile } = asked;
  if (tls !== true && (ca ?? servername) !== undefined) return '--ca and --server-name want --tls';
  if (tls === true && at.kind === 'unix' && servername === undefined)
    return '--tls wants a --server-name: the path of a socket names nobody whom a certificate could name';
  if (user !== undefined && apiKeyFile !== undefined) return '--login and --api-key-file exclude each other';
  if (user === undefined && passwordFile !== undefined) return '--password-file wants a --login';
  if (tls !== true && !insecureLogin && (user ?? apiKeyFile) !== undefined && mayBeHeard(at))
    return `the login would go to ${endpointText(at)} in clear: say --tls, or --insecure-login where nobody else can listen`;
  try {
    const login = await loginOf(shell, asked);
    if (typeof login === 'string') return login;
    const door = {
      insecureLogin,
      ...(login === undefined ? {} : { login }),
      ...(tls !== true
        ? {}
        : {
            tls: {
              ...(ca === undefined ? {} : { ca: await shell.world.disk.read(ca) }),
              ...(servername === undefined ? {} : { servername }),
            },
          }),
    };
    // It connects with the first message only, but says at once what cannot be.
    void new EcstreamSender(shell.world, { at, ...door });
    return door;
  } catch (error) {
    if (error instanceof DiskError) return `cannot read ${error.path}: ${error.message}`;
    if (error instanceof RangeError && error.cause instanceof TlsError)
      return `${ca ?? 'the list of authorities'} cannot be used: ${error.cause.message}`;
    throw error;
  }
}

async function loginOf(shell: DoorShell, asked: DoorWords): Promise<Door['login'] | string> {
  const { disk } = shell.world;
  const { login: user, passwordFile, apiKeyFile } = asked;
  if (apiKeyFile !== undefined) {
    const apiKey = firstLine(await disk.read(apiKeyFile)).trim();
    return apiKey === '' ? `there is no key in ${apiKeyFile}` : { apiKey };
  }
  if (user === undefined) return undefined;
  if (passwordFile === undefined && !canAsk(shell) && asked.file === '-')
    return 'standard input is the text: name a --password-file';
  const password = passwordFile === undefined ? await askedFor(shell, user) : firstLine(await disk.read(passwordFile));
  return password === undefined || password === '' ? `no password for ${user}` : { user, password };
}

const canAsk = ({ process, terminal }: DoorShell): boolean => process.isTerminal.input && terminal !== undefined;

/** At the keyboard; of a batch the first line of standard input. */
async function askedFor(shell: DoorShell, user: string): Promise<string | undefined> {
  if (canAsk(shell)) return shell.terminal?.().secret(`Password of ${user}: `);
  const chunks: Uint8Array[] = [];
  for await (const chunk of shell.process.input()) {
    chunks.push(chunk);
    if (chunk.includes(NEWLINE) || chunks.length > MOST_CHUNKS) break;
  }
  return firstLine(Buffer.concat(chunks));
}

const NEWLINE = 0x0a;
/** Nobody's password has more. */
const MOST_CHUNKS = 16;

const firstLine = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n[\s\S]*$/, '');
