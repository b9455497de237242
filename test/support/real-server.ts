import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Events } from '../../src/events/index.ts';
import { ApiKeyFile, GRANTS } from '../../src/http/index.ts';
import { buildServer, type Server } from '../../src/main/index.ts';
import { nodeProcess, nodeWorld } from '../../src/world/node/index.ts';
import { freePort } from '../end-to-end/harness.ts';
import { serverConfiguration } from './server-configuration.ts';

export interface RealSettings {
  /** What stands inside of HTTP_Listener, before its Listen; `@` is the folder. */
  readonly http?: string;
  /** What stands outside. */
  readonly more?: string;
  /** Called with the folder before the server starts: for files that the configuration names. */
  readonly prepare?: (folder: string) => void;
  readonly observe?: (events: Events) => void;
}

/** One for all servers of a file: it listens to the streams of the process. */
const process = nodeProcess();

/** A server of this process on real sockets and a real disk, with an HTTP_Listener and a key that may everything. */
export class RealServer implements AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly key: string;
  readonly keyFile: ApiKeyFile;
  readonly #folder: string;

  private constructor(server: Server, port: number, key: string, keyFile: ApiKeyFile, folder: string) {
    this.server = server;
    this.port = port;
    this.key = key;
    this.keyFile = keyFile;
    this.#folder = folder;
  }

  static async start({ http = '', more = '', prepare, observe }: RealSettings = {}): Promise<RealServer> {
    const folder = mkdtempSync(join(tmpdir(), 'impetus-'));
    const port = await freePort();
    const file = join(folder, 'impetus.conf');
    prepare?.(folder);
    writeFileSync(
      file,
      `Spoolbase = "${folder}/spool"
API_Key_File = "${folder}/keys.json"
API_Store_File = "${folder}/api.db"
Routes = ( "smtp://127.0.0.1:1" )
Retry_Interval = 3600
${more.replaceAll('@', folder)}
Control_Listener { Listen "${folder}/c" { } }
HTTP_Listener { ${http.replaceAll('@', folder)} Listen "127.0.0.1:${port}" { } }
ec_logger { mainlog = "${folder}/m" rejectlog = "${folder}/r" paniclog = "${folder}/p" acctlog = "${folder}/a" }
`,
    );
    const world = nodeWorld();
    const { disk, clock, chance } = world;
    const keyFile = new ApiKeyFile({ disk, clock, chance, path: `${folder}/keys.json` });
    const key = await keyFile.create('all', GRANTS, []);
    const configuration = await serverConfiguration(world, file);
    const server = await buildServer({
      world,
      process,
      configuration,
      ...(observe === undefined ? {} : { observe }),
    });
    return new RealServer(server, port, key, keyFile, folder);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A file of its folder: `p` is the paniclog. */
  text(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close(100);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
