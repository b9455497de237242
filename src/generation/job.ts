import type { Millis } from '../base/index.ts';
import { bindingName } from '../base/index.ts';
import type { BodyHold, Envelope, EnvelopeRecipient, Ids } from '../message/index.ts';
import { nullId } from '../message/index.ts';
import type { Draft } from '../spool/index.ts';
import { acceptanceContext } from './acceptances.ts';
import type { Order, Recipient } from './order.ts';

/*
 * A transmission that is made later is a reception of its own in the spool: its body is the order and then one recipient
 * on each line, as JSON, and the recipients of its envelope are those of the messages, with the ids these will have. Each
 * message is stored in one batch with the record that its recipient is finished, so a crash can neither lose one nor
 * make it twice.
 */

/** In the message context of a job's envelope; no client can set it together with the protocol `internal`. */
const MARK = 'impetus_transmission';

/** @param turn lets others have theirs */
export async function jobEnvelope(
  order: Order,
  recipients: readonly Recipient[],
  ids: Ids,
  at: Millis,
  turn: () => Promise<void>,
): Promise<Envelope> {
  const places: EnvelopeRecipient[] = [];
  for (const { path } of recipients) {
    places.push({ id: ids.next(at), path, binding: DEFAULT });
    if (places.length % PLACES === 0) await turn();
  }
  return {
    batchId: ids.next(at),
    connectionId: nullId,
    receivedAt: at,
    reversePath: '',
    recipients: places,
    protocol: 'internal',
    peer: '',
    size: 0,
    context: { connection: {}, message: { [MARK]: order.id, ...acceptanceContext(order.acceptance) } },
  };
}

/** @returns the id of the transmission; undefined for what is no job */
export const jobOf = ({ protocol, context }: Envelope): string | undefined =>
  protocol === 'internal' ? context.message[MARK] : undefined;

/** Recipients that are put into an envelope in one go. */
const PLACES = 10_000;
const DEFAULT = bindingName('default');

/** Lines that are gathered before the spool gets them. */
const GATHERED = 200;

/** @param turn lets others have theirs */
export async function writeJob(
  draft: Draft,
  order: Order,
  recipients: readonly Recipient[],
  turn: () => Promise<void>,
): Promise<void> {
  const put = async (text: string): Promise<void> => {
    if (draft.append([Buffer.from(text, 'utf8')])) return;
    await new Promise<void>((resolve) => {
      draft.drained = resolve;
    });
  };
  await put(`${JSON.stringify(order)}\n`);
  for (let at = 0; at < recipients.length; at += GATHERED) {
    await put(
      recipients
        .slice(at, at + GATHERED)
        .map((each) => `${JSON.stringify(each)}\n`)
        .join(''),
    );
    await turn();
  }
}

const SLICE = 65_536;

/** The lines of a job's body, read as they are needed. @throws SpoolError */
export async function* linesOf(hold: BodyHold): AsyncGenerator<string> {
  /** Of a line that goes on: an order with attachments comes in thousands of slices, and is joined once. */
  let open: Uint8Array[] = [];
  for (;;) {
    const next = hold.next(SLICE);
    const slice = next instanceof Promise ? await next : next;
    if (slice === undefined) break;
    for (const view of slice) {
      const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
      let at = 0;
      for (let end = bytes.indexOf(LF, at); end !== -1; end = bytes.indexOf(LF, at)) {
        const line = bytes.subarray(at, end);
        yield (open.length === 0 ? line : Buffer.concat([...open, line])).toString('utf8');
        open = [];
        at = end + 1;
      }
      if (at < bytes.length) open.push(bytes.subarray(at));
    }
  }
}

const LF = 10;

/** Only `writeJob` writes them. */
export const readOrder = (line: string): Order => JSON.parse(line) as Order;
export const readLine = (line: string): Recipient => JSON.parse(line) as Recipient;
