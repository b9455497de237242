import type { Segments } from '../base/index.ts';
import type { Chance, Clock, Disk } from '../world/index.ts';

/** A message to be kept whole. */
export interface Whole {
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** As it came, dots removed. */
  readonly body: Segments;
}

/**
 * Keeps whole messages as a maildir does: written in `tmp`, then moved to `new`, so that a reader never sees half of one.
 * `Return-Path` and a `Delivered-To` for each recipient are put in front. Not synced: what a sink holds may be lost.
 */
export class Keeper {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #host: string;
  readonly #token: string;
  #ready: Promise<void> | undefined;
  #count = 0;

  constructor(
    parts: { readonly disk: Disk; readonly clock: Clock; readonly chance: Chance },
    directory: string,
    host: string,
  ) {
    this.#disk = parts.disk;
    this.#clock = parts.clock;
    this.#directory = directory;
    // Maildir names are `seconds.unique.host`; neither part may hold a slash or a colon.
    this.#host = host.replaceAll('/', '\\057').replaceAll(':', '\\072');
    this.#token = Buffer.from(parts.chance.bytes(6)).toString('hex');
  }

  /** @throws DiskError */
  async keep(message: Whole): Promise<void> {
    this.#ready ??= this.#prepare();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
    const name = `${Math.floor(this.#clock.date() / 1000)}.R${this.#token}Q${++this.#count}.${this.#host}`;
    const path = `${this.#directory}/tmp/${name}`;
    const file = await this.#disk.open(path, 'create');
    try {
      await file.write([envelopeFields(message), ...message.body]);
    } finally {
      await file.close();
    }
    await this.#disk.rename(path, `${this.#directory}/new/${name}`);
  }

  async #prepare(): Promise<void> {
    for (const part of ['tmp', 'new', 'cur']) await this.#disk.makeDirectory(`${this.#directory}/${part}`);
  }
}

function envelopeFields(message: Whole): Buffer {
  const fields = [
    `Return-Path: <${message.reversePath}>`,
    ...message.recipients.map((path) => `Delivered-To: ${path}`),
  ];
  return Buffer.from(`${fields.join('\r\n')}\r\n`, 'latin1');
}
