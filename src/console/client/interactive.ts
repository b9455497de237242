import type { Clock } from '../../world/index.ts';
import { banner } from '../commands/about.ts';
import { CommandLines } from './command-lines.ts';
import type { Connected, Link, Sink } from './link.ts';
import { PagedOutput } from './paged-output.ts';
import type { Terminal } from './terminal.ts';
import { Visible } from './visible.ts';

export interface InteractiveParts {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** As the prompt shows it. */
  readonly endpoint: string;
  readonly json: boolean;
  /** For a connection that the server has closed while nobody typed. */
  reconnect(): Promise<Connected>;
}

/** The operator at the keyboard: header, prompt, one command after the other, until `quit` or the end of file. */
export async function interact(parts: InteractiveParts, first: Link): Promise<void> {
  const { terminal, clock, endpoint } = parts;
  const lines = new CommandLines();
  let link = first;
  let paging = false;
  let interrupted = false;
  const print = (text: string): Promise<void> | undefined => terminal.write(Buffer.from(text, 'utf8'));

  await print(banner(link.hello.product, link.hello.version, link.hello.host));
  const reading = {
    prompt: () => (lines.open ? '> ' : `${terminal.timeOfDay(clock.date())} ${endpoint}> `),
    complete: (line: string) => link.complete(line),
    interrupted: () => {
      interrupted = true;
      link.close();
    },
  };
  for await (const typed of terminal.lines(reading)) {
    const line = lines.add(typed);
    if (line === undefined) continue;
    if (line === 'quit' || line === 'exit') break;
    if (line === '\\pager') {
      paging = !paging;
      await print(paging ? 'Pager on.\n' : 'Pager off.\n');
      continue;
    }
    if (!link.open) {
      await print(`(${link.why}; connecting again)\n`);
      const again = await parts.reconnect();
      if (again.kind !== 'connected') {
        await print(`cannot connect: ${again.kind === 'timeout' ? 'no answer' : again.why}\n`);
        continue;
      }
      link = again.link;
    }
    interrupted = false;
    const command = parts.json ? `json ${line}` : line;
    const answer = await shown(terminal, paging, (sink) => link.ask(command, sink));
    if (answer.kind === 'timeout') await print('no answer from the server\n');
    if (answer.kind === 'lost') await print(interrupted ? '(interrupted)\n' : `(connection lost: ${answer.why})\n`);
  }
  link.close();
}

async function shown<T>(terminal: Terminal, paging: boolean, ask: (sink: Sink) => Promise<T>): Promise<T> {
  const visible = new Visible();
  if (!paging) return ask((bytes) => terminal.write(visible.show(bytes)));
  const output = new PagedOutput(terminal);
  const answer = await ask((bytes) => output.write(visible.show(bytes)));
  await output.close();
  return answer;
}
