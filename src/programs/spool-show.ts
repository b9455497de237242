import { HeaderScanner } from '../message/index.ts';
import { type KeptReception, SpoolError, type SpoolReader } from '../spool/index.ts';
import { commandNamed, understood } from './command-line.ts';
import { entriesOf, entryObject, timeText } from './spool-entry.ts';
import { harmless, readable } from './spool-lines.ts';
import {
  complainOf,
  FOUND,
  lookAt,
  NOT_FOUND,
  type SpoolShell,
  type WhichSpool,
  withSpoolOptions,
} from './spool-look.ts';

/** What is read in search of the end of a header. */
const MOST_HEADER_BYTES = 1_048_576;

interface Words extends WhichSpool {
  readonly json?: boolean;
}

/** `impetus spool show ID`. @returns 0 shown, 1 not found or its header cannot be read, 2 the spool cannot be read */
export async function spoolShow(shell: SpoolShell, words: readonly string[]): Promise<number> {
  const command = withSpoolOptions(
    commandNamed(
      'impetus spool show',
      'Envelope, state and header of a message, of a running server too.',
      shell.process,
    ),
  )
    .argument('<id>', 'of a message, or of its batch: then all recipients of that transaction are shown')
    .option('--json', 'as a JSON object');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  return lookAt(shell, asked, (reader) => showMessage(shell, reader, command.args[0] ?? '', asked.json === true));
}

export async function showMessage(shell: SpoolShell, reader: SpoolReader, id: string, json: boolean): Promise<number> {
  const kept = await reader.find(id);
  if (kept === undefined) return notFound(shell, reader, id);
  const { header, trouble } = await headerOf(kept);
  if (json) shell.process.say(`${JSON.stringify(objectOf(kept, id, header))}\n`);
  else shell.process.say(`${details(kept, id)}\n${header}`);
  if (trouble === undefined) return FOUND;
  shell.process.complain(`impetus spool: ${trouble}\n`);
  return NOT_FOUND;
}

export function notFound(shell: SpoolShell, reader: SpoolReader, id: string): number {
  complainOf(shell, reader);
  shell.process.complain(`impetus spool: there is no message ${harmless(id)} in the spool\n`);
  return NOT_FOUND;
}

function details(kept: KeptReception, id: string): string {
  const { envelope } = kept;
  const lines = [
    line('Message', id),
    line('Batch', envelope.batchId),
    line('Connection', envelope.connectionId),
    line('Created', timeText(envelope.receivedAt)),
    line('Received Via', `${envelope.protocol} ${envelope.peer}`),
    line('Sender', `<${envelope.reversePath}>`),
    line('Size', String(envelope.size)),
    line('Place', `${kept.segment}, byte ${kept.offset}`),
    ...(kept.large === undefined ? [] : [line('Body', kept.large)]),
  ];
  for (const entry of meant(kept, id)) {
    lines.push(line('Recipient', `<${entry.recipient}>`));
    if (entry.id !== id) lines.push(line('Id', entry.id));
    lines.push(line('Binding', entry.binding));
    lines.push(
      ...(entry.finished
        ? [line('State', 'finished')]
        : [line('Retries', String(entry.retries)), line('Next Attempt', timeText(entry.nextAttempt))]),
    );
  }
  const { connection, message } = envelope.context;
  for (const [name, value] of Object.entries(connection)) lines.push(line('Connection Context', `${name} = ${value}`));
  for (const [name, value] of Object.entries(message)) lines.push(line('Message Context', `${name} = ${value}`));
  return lines.join('');
}

const line = (label: string, value: string): string => `${`${label.padStart(18)}: ${harmless(value)}`.trimEnd()}\n`;

function objectOf(kept: KeptReception, id: string, header: string): Readonly<Record<string, unknown>> {
  const { envelope } = kept;
  return {
    batch: envelope.batchId,
    connection: envelope.connectionId,
    received: timeText(envelope.receivedAt),
    protocol: envelope.protocol,
    peer: envelope.peer,
    sender: envelope.reversePath,
    size: envelope.size,
    segment: kept.segment,
    offset: kept.offset,
    ...(kept.large === undefined ? {} : { body: kept.large }),
    recipients: meant(kept, id).map((entry) => ({ ...entryObject(entry), finished: entry.finished })),
    context: envelope.context,
    header,
  };
}

/** By its own id one recipient, by that of the batch all of them. */
function meant(kept: KeptReception, id: string): ReturnType<typeof entriesOf> {
  const entries = entriesOf(kept);
  return id === kept.envelope.batchId ? entries : entries.filter((entry) => entry.id === id);
}

async function headerOf(kept: KeptReception): Promise<{ header: string; trouble: string | undefined }> {
  const scanner = new HeaderScanner();
  const slices: Uint8Array[] = [];
  let length = 0;
  let trouble: string | undefined;
  try {
    for await (const slice of kept.body()) {
      slices.push(slice);
      length += slice.length;
      if (scanner.feed(slice) || length >= MOST_HEADER_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof SpoolError)) throw error;
    trouble = error.message;
  }
  const bytes = Buffer.concat(slices).subarray(0, scanner.length ?? MOST_HEADER_BYTES);
  const text = readable(bytes, '\t\r\n').replaceAll('\r\n', '\n');
  return { header: text === '' || text.endsWith('\n') ? text : `${text}\n`, trouble };
}
