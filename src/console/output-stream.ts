import type { exitOf, Output, Piece } from './command.ts';
import type { Drain } from './drain.ts';
import { frame, frameKinds, maxPayload } from './frames.ts';

/** Output is gathered up to this much before a frame goes out. */
const frameBytes = 16_384;
/** So many pieces, and others get their turn: a scan over a million queues must not hold up the mail. */
const piecesPerTurn = 500;

/**
 * Pulls a command's output as fast as the console takes it, and stops the command when nobody wants it any more.
 *
 * @param unwanted  the console is gone, or is to be closed
 */
export async function streamOutput(
  output: Output,
  drain: Drain,
  unwanted: () => boolean,
): Promise<keyof typeof exitOf> {
  const gathered: Uint8Array[] = [];
  let bytes = 0;
  let pieces = 0;
  let turn = 0;
  const send = (): void => {
    if (bytes > 0)
      for (const payload of inFrames(gathered.splice(0), bytes)) drain.write(frame(frameKinds.output, payload));
    bytes = 0;
  };
  for (;;) {
    const step = isAsync(output) ? await output.next() : output.next();
    if (step.done === true) {
      send();
      return step.value;
    }
    const piece = asBytes(step.value);
    if (piece.length > 0) {
      gathered.push(piece);
      bytes += piece.length;
      turn += piece.length;
    }
    if (bytes >= frameBytes) send();
    if (drain.waiting) await drain.ready();
    if (++pieces >= piecesPerTurn || turn >= 4 * frameBytes) {
      pieces = 0;
      turn = 0;
      await drain.turn();
    }
    if (unwanted()) {
      await output.return('failed');
      send();
      return 'failed';
    }
  }
}

const isAsync = (output: Output): output is Extract<Output, AsyncGenerator> => Symbol.asyncIterator in output;

const asBytes = (piece: Piece): Uint8Array => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece);

/** A single piece may be larger than a frame may be. */
function* inFrames(pieces: Uint8Array[], bytes: number): Generator<Uint8Array> {
  const whole = pieces.length === 1 ? (pieces[0] ?? new Uint8Array(0)) : Buffer.concat(pieces, bytes);
  for (let at = 0; at < whole.length; at += maxPayload) yield whole.subarray(at, at + maxPayload);
}
