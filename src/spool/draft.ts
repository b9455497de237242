import type { Segments } from '../base/index.ts';
import type { BodyHold, BodyTraits, Envelope, SpoolAddress } from '../message/index.ts';
import { Body } from './body.ts';
import { Hold, type Part, ViewsPart } from './hold.ts';
import type { LargeFiles, LargeWriter } from './large.ts';
import type { LargeReference } from './record.ts';
import type { Draft, SpoolError, Told } from './spool.ts';

const NO_TRAITS: BodyTraits = { dots: false, lone: false };

export interface Replacement {
  readonly at: SpoolAddress;
  readonly recipients: readonly number[];
}

/** What a draft needs of the spool. */
export interface DraftHost {
  readonly files: LargeFiles;
  /** Takes over: the body is complete, a large one is still to be finished. */
  commit(draft: LogDraft, envelope: Envelope, traits: BodyTraits, told: Told, replaces: Replacement | undefined): void;
}

/** A body on its way in: views in memory, or beyond the threshold a file. */
export class LogDraft implements Draft {
  drained: (() => void) | undefined;
  readonly #host: DraftHost;
  readonly #threshold: number;
  #front: Body | undefined;
  #body = new Body();
  #writer: LargeWriter | undefined;
  #open = true;
  #lease: Hold | undefined;

  constructor(host: DraftHost, threshold: number) {
    this.#host = host;
    this.#threshold = threshold;
  }

  get length(): number {
    return (this.#front?.length ?? 0) + (this.#writer?.length ?? this.#body.length);
  }

  append(bytes: Segments): boolean {
    this.#mustBeOpen();
    if (this.#writer) {
      this.#writer.write(bytes);
      return this.#writer.settled;
    }
    this.#body.append(bytes);
    if (this.#body.length <= this.#threshold) return true;
    const writer = this.#host.files.create();
    writer.idle = () => this.drained?.();
    this.#writer = writer;
    writer.write(this.#body.views);
    this.#body = new Body();
    return writer.settled;
  }

  prepend(bytes: Segments): void {
    this.#mustBeOpen();
    const front = new Body();
    front.append(bytes);
    if (this.#front) front.append(this.#front.views);
    this.#front = front;
  }

  get body(): BodyHold {
    this.#mustBeOpen();
    if (this.#lease?.held && this.#lease.length === this.length) return this.#lease;
    this.#lease?.[Symbol.dispose]();
    const parts: Part[] = [];
    const release: (() => void)[] = [];
    if (this.#front) parts.push(new ViewsPart(this.#front.views, this.#front.length));
    if (this.#writer) parts.push(this.#writer.part(release));
    else parts.push(new ViewsPart(this.#body.views, this.#body.length));
    this.#lease = new Hold(NO_TRAITS, parts, () => {
      for (const each of release) each();
    });
    return this.#lease;
  }

  commit(envelope: Envelope, traits: BodyTraits, told: Told): void {
    this.commitInPlaceOf(undefined, envelope, traits, told);
  }

  commitInPlaceOf(replaces: Replacement | undefined, envelope: Envelope, traits: BodyTraits, told: Told): void {
    this.#mustBeOpen();
    if (envelope.recipients.length === 0) throw new Error('a reception without recipients is never done');
    this.#close();
    this.#host.commit(this, envelope, traits, told, replaces);
  }

  discard(): void {
    if (!this.#open) return;
    this.#close();
    void this.#writer?.discard();
  }

  /** What goes into the record. */
  record(): Body {
    const front = this.#front;
    if (!front) return this.#body;
    if (!this.#writer) front.append(this.#body.views);
    return front;
  }

  /** Whether part of the body has a file of its own. */
  get large(): boolean {
    return this.#writer !== undefined;
  }

  /** @throws DiskError */
  finishLarge(sync: boolean): Promise<LargeReference> {
    return this.#writer!.finish(sync);
  }

  /** Refused: nothing of it may stay. */
  refused(told: Told, why: SpoolError): void {
    void this.#writer?.discard();
    told.refused(why);
  }

  #close(): void {
    this.#open = false;
    // `drained` stays: who was told to pause by the last append waits for it, whatever becomes of the draft.
    this.#lease?.[Symbol.dispose]();
  }

  #mustBeOpen(): void {
    if (!this.#open) throw new Error('this draft was committed or discarded');
  }
}
