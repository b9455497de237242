import type { BindingName } from '../../base/index.ts';
import type { Generation } from '../../config/index.ts';
import { envelopeFlags, type WireEnvelope } from '../../ecstream/index.ts';
import type { Reply } from '../../smtp/index.ts';
import type { SpoolError } from '../../spool/index.ts';
import { LineScan } from '../content/line-scan.ts';
import { CORE } from '../rejection.ts';
import { replies } from '../replies.ts';
import type { Outcome, Transaction } from '../transaction.ts';

/** Who hears what became of a message of a stream. */
export interface ParcelHost {
  parcelKept(parcel: Parcel, id: string): void;
  parcelRefused(parcel: Parcel, said: Reply, module: string): void;
}

/** One message of an ECStream connection, from its first frame to its result. */
export class Parcel implements Outcome {
  readonly seq: number;
  /** Addresses have their bytes as Latin-1 characters, as everywhere in the house. */
  readonly envelope: WireEnvelope;
  readonly generation: Generation;
  readonly scan = new LineScan();
  /** Recipients that are not taken, told when the others are. */
  readonly refused: (readonly [number, Reply])[] = [];
  /** Which of its recipients those of the transaction are, in order. */
  readonly taken: number[] = [];
  /** The recipient to be judged next. */
  next = 0;
  binding: BindingName | undefined = undefined;
  /** The last frame of it has come. */
  complete = false;
  /** What came with the envelope waits until that is judged. */
  rest: (() => void) | undefined = undefined;
  transaction: Transaction | undefined = undefined;
  /** The client's key, when it is to be remembered. */
  key: string | undefined = undefined;
  sum: Buffer | undefined = undefined;
  /** It was the first with its key to be complete: repeats wait for what becomes of it. */
  owned = false;
  /** It has its result: what is still to come of it is thrown away. */
  over = false;
  readonly #host: ParcelHost;

  constructor(seq: number, envelope: WireEnvelope, generation: Generation, host: ParcelHost) {
    this.seq = seq;
    this.envelope = envelope;
    this.generation = generation;
    this.#host = host;
  }

  /** Addresses and header may be beyond ASCII. */
  get utf8(): boolean {
    return (this.envelope.flags & envelopeFlags.smtpUtf8) !== 0;
  }

  kept(transaction: Transaction): void {
    this.#host.parcelKept(this, transaction.batchId ?? '');
  }

  notKept(why: SpoolError): void {
    this.#host.parcelRefused(this, why.code === 'IMP_SPOOL_FULL' ? replies.spoolFull : replies.failed, CORE);
  }
}
