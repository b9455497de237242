import { authOptions, GuessBrake } from '../../src/auth/index.ts';
import type { Endpoint } from '../../src/base/index.ts';
import type { Option } from '../../src/config/index.ts';
import { type Events, events as makeEvents } from '../../src/events/index.ts';
import type { Credentials, Grant, Pressure, Route } from '../../src/http/index.ts';
import { ApiKeyFile, ApiKeys, type HttpServer, httpOptions, httpServer, noCredentials } from '../../src/http/index.ts';
import { receptionOptions } from '../../src/reception/index.ts';
import type { Pipe } from '../../src/world/index.ts';
import { type SimWorld, simWorld } from '../../src/world/sim/index.ts';
import { configured } from './configuration.ts';

export const HTTP_AT: Endpoint = { kind: 'tcp', ip: '127.0.0.1', port: 2081 };

export interface RoomSettings {
  /** What stands inside of HTTP_Listener, before its Listen. */
  readonly listener?: string;
  readonly routes?: readonly Route[];
  readonly credentials?: Credentials;
  readonly pressure?: Pressure;
  readonly mostBodyBytes?: number;
  readonly world?: SimWorld;
  /** Options beyond those of the room. */
  readonly declared?: readonly Option<unknown>[];
}

/** An HTTP server in a simulated world, with clients that type. */
export class HttpRoom {
  readonly world: SimWorld;
  readonly server: HttpServer;
  readonly events: Events;
  readonly keyFile: ApiKeyFile;
  /** Lines of the paniclog. */
  readonly told: string[] = [];
  /** Sessions that ended. */
  ended = 0;

  private constructor(world: SimWorld, server: HttpServer, events: Events, keyFile: ApiKeyFile) {
    this.world = world;
    this.server = server;
    this.events = events;
    this.keyFile = keyFile;
  }

  static async open(settings: RoomSettings = {}): Promise<HttpRoom> {
    const world = settings.world ?? simWorld();
    const { clock, chance, disk } = world;
    const { configuration } = await configured(
      `HTTP_Listener {\n${settings.listener ?? ''}\nListen "127.0.0.1:2081" { }\n}\n`,
      [...authOptions, ...receptionOptions, ...httpOptions, ...(settings.declared ?? [])],
    );
    const events = makeEvents(clock, () => 1);
    const keyFile = new ApiKeyFile({ disk, clock, chance, path: '/keys/api-keys.json' });
    const server = await httpServer({
      clock,
      chance,
      events,
      configuration,
      routes: settings.routes ?? [],
      keys: new ApiKeys({ clock, events, file: () => keyFile }),
      credentials: settings.credentials ?? noCredentials,
      brake: new GuessBrake(),
      pressure: settings.pressure ?? { reason: () => undefined },
      hostName: () => 'mx.example',
      ...(settings.mostBodyBytes === undefined ? {} : { mostBodyBytes: settings.mostBodyBytes }),
    });
    const room = new HttpRoom(world, server, events, keyFile);
    events.subscribe(['diagnostic'], ({ module, text }) => void room.told.push(`${module}: ${text}`));
    await world.network.listen(HTTP_AT, { backlog: 10, fileMode: 0 }, (pipe) =>
      server.converse(pipe, { endpoint: HTTP_AT, ended: () => room.ended++ }),
    );
    return room;
  }

  /** @param from another address of this machine */
  client(from?: string): HttpClient {
    return new HttpClient(this.world, from);
  }

  /** One request on a connection of its own. */
  ask(head: string, body: string | Uint8Array = '', from?: string): Promise<HttpAnswer> {
    return askIn(this.world, head, body, from);
  }

  /** @returns a new key with these grants */
  key(...grants: Grant[]): Promise<string> {
    return this.keyFile.create('a test', grants, []);
  }
}

/** One request on a connection of its own, to whoever listens in that world. */
export async function askIn(
  world: SimWorld,
  head: string,
  body: string | Uint8Array = '',
  from?: string,
): Promise<HttpAnswer> {
  const client = new HttpClient(world, from);
  client.says(request(head, body));
  const [answer, ...more] = await client.answers(100);
  client.pipe.destroy();
  if (answer === undefined || more.length > 0) throw new Error(`no answer, or several: ${client.heard}`);
  return answer;
}

/** One request, and no millisecond more than its answer takes. */
export async function askQuickly(world: SimWorld, head: string, body: string | Uint8Array = ''): Promise<HttpAnswer> {
  const client = new HttpClient(world, undefined);
  client.says(request(head, body));
  for (let millis = 0; millis < 1000; millis++) {
    const [answer] = await client.answers(1);
    if (answer !== undefined) return answer;
  }
  throw new Error('no answer within a second');
}

/** A request with Host and Content-Length; header lines behind the first one may be given. */
export function request(head: string, body: string | Uint8Array = ''): Uint8Array {
  const [first = '', ...lines] = head.split('\n');
  const bytes = Buffer.from(body);
  const length = bytes.length > 0 ? [`Content-Length: ${bytes.length}`, ...jsonType(lines)] : [];
  return Buffer.concat([
    Buffer.from([`${first} HTTP/1.1`, 'Host: mx.example', ...lines, ...length, '', ''].join('\r\n')),
    bytes,
  ]);
}

const jsonType = (lines: readonly string[]): readonly string[] =>
  lines.some((line) => /^content-type:/i.test(line)) ? [] : ['Content-Type: application/json'];

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

/** @returns the JSON of an answer */
export const jsonOf = <T = unknown>(answer: HttpAnswer): T => JSON.parse(answer.text) as T;

/** The code and the description of the first error, and the status. */
export function errorOf(answer: HttpAnswer): { status: number; code: string; description: string } {
  const { errors } = jsonOf<{ errors: { code: string; description: string; message: string }[] }>(answer);
  const [{ code = '', description = '' } = {}] = errors;
  return { status: answer.status, code, description };
}

export class HttpClient {
  readonly pipe: Pipe;
  readonly #world: SimWorld;
  #heard: Buffer = Buffer.alloc(0);
  closed = false;
  peerEnded = false;

  constructor(world: SimWorld, from: string | undefined) {
    this.#world = world;
    this.pipe = world.network.connect(HTTP_AT, from, {
      opened: () => undefined,
      data: (chunk) => {
        this.#heard = Buffer.concat([this.#heard, chunk]);
      },
      drained: () => undefined,
      ended: () => {
        this.peerEnded = true;
        this.pipe.end();
      },
      closed: () => {
        this.closed = true;
      },
    });
  }

  says(bytes: string | Uint8Array): void {
    this.pipe.write([Buffer.from(bytes)]);
  }

  get heard(): string {
    return this.#heard.toString('latin1');
  }

  /** All answers that have come once so much time has passed. */
  async answers(millis: number): Promise<readonly HttpAnswer[]> {
    await this.#world.clock.advance(millis);
    return answersIn(this.#heard);
  }
}

/** Splits what a server sent. @throws Error for what is no HTTP */
export function answersIn(bytes: Buffer): readonly HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) throw new Error(`a header without its end: ${bytes.toString('latin1', at)}`);
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    const headers: Record<string, string> = {};
    for (const line of lines)
      headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 2);
    at = end + 4;
    if (status === 100) continue;
    let body: Buffer = Buffer.alloc(0);
    if (headers['transfer-encoding'] === 'chunked') {
      for (;;) {
        const eol = bytes.indexOf('\r\n', at);
        if (eol === -1) throw new Error('a chunk is cut off');
        const size = Number.parseInt(bytes.toString('latin1', at, eol), 16);
        body = Buffer.concat([body, bytes.subarray(eol + 2, eol + 2 + size)]);
        at = eol + 2 + size + 2;
        if (size === 0) break;
      }
    } else {
      const length = Number(headers['content-length'] ?? 0);
      body = bytes.subarray(at, at + length);
      at += length;
    }
    answers.push({ status, headers, body, text: body.toString('utf8') });
  }
  return answers;
}
