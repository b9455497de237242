import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Events } from '../../src/events/index.ts';
import { ApiKeyFile, GRANTS } from '../../src/http/index.ts';
import { buildServer, type Server } from '../../src/main/index.ts';
import { nodeProcess, nodeWorld } from '../../src/world/node/index.ts';
import { freePort } from '../end-to-end/harness.ts';
import { serverConfiguration } from './server-configuration.ts';

/** A server of this process on real sockets and a real disk, with an HTTP_Listener and a key that may everything. */
export class RealServer implements AsyncDisposable {
  readonly server: Server;
  readonly origin: string;
  readonly key: string;
  readonly #folder: string;

  private constructor(server: Server, origin: string, key: string, folder: string) {
    this.server = server;
    this.origin = origin;
    this.key = key;
    this.#folder = folder;
  }

  static async start(observe: (events: Events) => void = () => undefined): Promise<RealServer> {
    const folder = mkdtempSync(join(tmpdir(), 'impetus-'));
    const port = await freePort();
    const file = join(folder, 'impetus.conf');
    writeFileSync(
      file,
      `Spoolbase = "${folder}/spool"
API_Key_File = "${folder}/keys.json"
API_Store_File = "${folder}/api.db"
Routes = ( "smtp://127.0.0.1:1" )
Retry_Interval = 3600
Control_Listener { Listen "${folder}/c" { } }
HTTP_Listener { Listen "127.0.0.1:${port}" { } }
ec_logger { mainlog = "${folder}/m" rejectlog = "${folder}/r" paniclog = "${folder}/p" acctlog = "${folder}/a" }
`,
    );
    const world = nodeWorld();
    const { disk, clock, chance } = world;
    const key = await new ApiKeyFile({ disk, clock, chance, path: `${folder}/keys.json` }).create('all', GRANTS, []);
    const configuration = await serverConfiguration(world, file);
    const server = await buildServer({ world, process: nodeProcess(), configuration, observe });
    return new RealServer(server, `http://127.0.0.1:${port}`, key, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close(100);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
