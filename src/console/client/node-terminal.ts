import { spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import type { Millis } from '../../base/index.ts';
import type { Pager, Reading, Terminal } from './terminal.ts';

/** The streams of a terminal; `rows` and raw mode only when it is one. */
export interface TerminalStreams {
  readonly input: Readable & { setRawMode?(raw: boolean): unknown };
  readonly output: Writable & { readonly rows?: number };
  /** A command line for the shell. */
  readonly pager: string;
}

/** What a pager may be behind before the server has to wait: 16 MiB, so that a console reading page one is not idle. */
const pagerBacklog = 16 * 1024 * 1024;

/** An adapter: node:readline wants real streams, a pager a real process. */
export function nodeTerminal(streams: TerminalStreams = processStreams()): Terminal {
  const { input, output } = streams;
  const clock = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  let lineReader: Interface | undefined;
  return {
    get rows() {
      return output.rows ?? 24;
    },
    write: (bytes) => written(output, bytes),
    flush: () =>
      new Promise((resolve) => {
        if (output.destroyed || output.writableEnded) resolve();
        else output.write('', () => resolve());
      }),
    async *lines(reading) {
      const editor = createInterface({
        input,
        output,
        terminal: true,
        historySize: 1000,
        removeHistoryDuplicates: true,
        completer: completer(reading),
      });
      lineReader = editor;
      try {
        yield* linesOf(editor, reading);
      } finally {
        lineReader = undefined;
        editor.close();
      }
    },
    async secret(prompt) {
      // Else the line editor would show what is typed, and take it for a command.
      using _aside = lineReader && setAside(streams, lineReader);
      return await askSecret(streams, prompt);
    },
    page() {
      lineReader?.pause();
      input.setRawMode?.(false);
      return startPager(streams.pager, () => {
        if (lineReader === undefined) return;
        input.setRawMode?.(true);
        lineReader.resume();
      });
    },
    timeOfDay: (date: Millis) => clock.format(date),
  };
}

const processStreams = (): TerminalStreams => ({
  input: process.stdin,
  output: process.stdout,
  pager: process.env.PAGER || 'less -FRX',
});

/** Until it is disposed the editor hears no key, and another one may have the keyboard. */
function setAside({ input }: TerminalStreams, editor: Interface): Disposable {
  const keys = input.listeners('keypress') as ((...key: unknown[]) => void)[];
  editor.pause();
  for (const hear of keys) input.off('keypress', hear);
  return {
    [Symbol.dispose]() {
      for (const hear of keys) input.on('keypress', hear);
      input.setRawMode?.(true);
      editor.resume();
    },
  };
}

/** readline edits the line; what it would show of it goes nowhere. */
function askSecret({ input, output }: TerminalStreams, prompt: string): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  output.write(prompt);
  return new Promise((resolve) => {
    let typed: string | undefined;
    editor.on('line', (line) => {
      typed = line;
      editor.close();
    });
    editor.on('SIGINT', () => editor.close());
    editor.on('close', () => {
      output.write('\n');
      resolve(typed);
    });
  });
}

/** Who reads our output may go away (`ec_console … | head`): then it is thrown away, not waited for. */
function written(output: Writable, bytes: Uint8Array): Promise<void> | undefined {
  if (output.destroyed || output.writableEnded || output.write(bytes)) return undefined;
  return freed(output);
}

function freed(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'error', 'close']) output.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'error', 'close']) output.on(event, done);
  });
}

/** readline shows what all candidates have in common, or lists them on the second Tab. */
function completer(reading: Reading) {
  return (line: string, done: (error: Error | null, found: [string[], string]) => void): void => {
    reading.complete(line).then(
      (found) => done(null, [[...found], line]),
      () => done(null, [[], line]),
    );
  };
}

async function* linesOf(editor: Interface, reading: Reading): AsyncGenerator<string> {
  const typed: string[] = [];
  let ended = false;
  let asked: (() => void) | undefined;
  editor.on('line', (line) => {
    typed.push(line);
    asked?.();
  });
  editor.on('close', () => {
    ended = true;
    asked?.();
  });
  editor.on('SIGINT', () => {
    if (asked === undefined) {
      reading.interrupted();
      return;
    }
    editor.write(null, { ctrl: true, name: 'e' });
    editor.write(null, { ctrl: true, name: 'u' });
  });
  for (;;) {
    if (typed.length === 0 && !ended) {
      editor.setPrompt(reading.prompt());
      editor.prompt();
      await new Promise<void>((resolve) => {
        asked = resolve;
      });
      asked = undefined;
    }
    const line = typed.shift();
    if (line === undefined) return;
    yield line;
  }
}

function startPager(command: string, left: () => void): Pager {
  const child = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'] });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  // Left before the end: the rest is thrown away.
  child.stdin.on('error', () => {});
  return {
    write(bytes) {
      if (child.stdin.destroyed || child.stdin.write(bytes) || child.stdin.writableLength < pagerBacklog)
        return undefined;
      return freed(child.stdin);
    },
    async close() {
      child.stdin.end();
      await closed;
      left();
    },
  };
}
