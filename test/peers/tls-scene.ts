import { eventually, freePort, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { Certificates } from '../support/certificates.ts';

/** What a test with a TLS server needs: folder, certificates, a sink, and our server. */
export class Scene implements AsyncDisposable {
  readonly scratch = new Scratch();
  readonly certificates = new Certificates(this.scratch.path);
  readonly own = this.certificates.issue('mx', ['mx.impetus.test', '*.alt.impetus.test']);
  readonly #stack = new AsyncDisposableStack();
  sink!: SinkProcess;
  server!: ServerProcess;
  implicit = 0;

  /** @param listener  stands in the listener, beside certificate and STARTTLS; `@` is the folder */
  static async start(listener = '', more = '', sinkWords: readonly string[] = []): Promise<Scene> {
    const scene = new Scene();
    scene.#stack.use(scene.scratch);
    scene.sink = scene.#stack.use(await SinkProcess.start(...sinkWords.map((word) => scene.path(word))));
    scene.implicit = await freePort();
    scene.server = scene.#stack.use(
      await ServerProcess.start({
        directory: scene.scratch.path,
        sink: scene.sink.port,
        more: `
ESMTP_Listener {
  SMTP_Extensions = ( ENHANCEDSTATUSCODES STARTTLS )
  TLS_Certificate = "${scene.own.certificate}"
  TLS_Key = "${scene.own.key}"
  ${scene.path(listener)}
  Listen "127.0.0.1:${scene.implicit}" { Use_SSL = true }
}
${scene.path(more)}`,
      }),
    );
    return scene;
  }

  path(text: string): string {
    return text.replaceAll('@', this.scratch.path);
  }

  /** Runs `openssl s_client` against our server, with that as its input. */
  async openssl(program: string, words: readonly string[], input = 'QUIT\n', implicit = false): Promise<string> {
    const port = implicit ? this.implicit : this.server.port;
    await using running = new Running(
      program,
      [
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-CAfile',
        this.certificates.authority,
        '-crlf',
        '-ign_eof',
        ...(implicit ? [] : ['-starttls', 'smtp', '-name', 'openssl.test']),
        ...words,
      ],
      input,
    );
    await eventually('s_client ends', () => running.over, 10_000).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${running.output}${running.errors}`);
    });
    return running.output + running.errors;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
