import { joined, millis } from '../../../src/base/index.ts';
import { capabilities, EcstreamClient, type EcstreamClientEvent, NO_VALUES } from '../../../src/ecstream/index.ts';
import type { Letter } from '../letter.ts';
import type { Sent } from '../records.ts';
import { ClientLink, type Exit } from './client-link.ts';
import { EXITS, type SourceParts } from './source.ts';

/** How long a client waits for the last result. */
const PATIENCE = 180_000;

/** One ECStream connection that brings letters to the server, as many at once as the window takes. None is sent twice. */
export async function streamSource(parts: SourceParts, letters: readonly Letter[], rude: boolean): Promise<void> {
  const { dice } = parts;
  const bytes = letters.reduce((sum, each) => sum + each.content.length + 200, 100);
  const exit = rude && dice.happens(0.6) ? { after: dice.between(1, bytes), how: dice.of(EXITS) } : undefined;
  const session = new StreamSession(parts, letters, exit);
  await session.over;
}

class StreamSession {
  readonly over: Promise<void>;
  readonly #parts: SourceParts;
  readonly #letters: Letter[];
  readonly #link: StreamLink;
  readonly #flying = new Map<number, Sent>();
  #client: EcstreamClient | undefined;
  #end!: () => void;

  constructor(parts: SourceParts, letters: readonly Letter[], exit: { after: number; how: Exit } | undefined) {
    const { clock, network } = parts;
    this.#parts = parts;
    // ECStream has no words for what DSN asks.
    this.#letters = letters.map((letter) => ({ ...letter, notify: undefined }));
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#link = new StreamLink(clock, network, exit, this);
    clock.at(millis(clock.now() + PATIENCE), () => this.finish());
  }

  opened(): void {
    const { clock, dice } = this.#parts;
    const wanted = capabilities.ids | (dice.happens(0.5) ? capabilities.crc : 0) | (dice.happens(0.3) ? 8 : 0);
    this.#client = new EcstreamClient(
      { name: 'sim', hostName: 'source.test', capabilities: wanted, encoding: 'latin1', greeting: PATIENCE },
      clock.now(),
    );
    this.#pump();
  }

  data(chunk: Uint8Array): void {
    const client = this.#client;
    if (client === undefined) return;
    client.receive(chunk);
    for (let event = client.next(); event !== undefined; event = client.next()) this.#hear(event);
    this.#pump();
  }

  finish(): void {
    if (this.#link.gone === undefined) this.#link.close();
    else this.#parts.note(`vanished: ${this.#link.gone}`);
    this.#end();
  }

  #hear(event: EcstreamClientEvent): void {
    if (event.kind === 'recipient') {
      const sent = this.#flying.get(event.seq);
      const refused = sent?.letter.recipients[event.index];
      if (refused !== undefined) sent?.accepted.splice(sent.accepted.indexOf(refused), 1);
    }
    if (event.kind === 'accepted') this.#settle(event.seq, 250);
    if (event.kind === 'refused') this.#settle(event.seq, event.reply.code);
    if (event.kind === 'bye') this.#turnedAway(event.seq, event.text);
    if (event.kind === 'broken') this.finish();
  }

  /** What is behind the last message that the server has taken over was not looked at: to whoever asks, it was never sent. */
  #turnedAway(last: number, text: string): void {
    for (const [seq, sent] of this.#flying) {
      if (seq <= last) continue;
      this.#flying.delete(seq);
      sent.dotAt = undefined;
      sent.accepted.length = 0;
      this.#parts.note(`letter ${sent.letter.number} was turned away: ${text}`);
    }
  }

  #settle(seq: number, code: number): void {
    const sent = this.#flying.get(seq);
    this.#flying.delete(seq);
    if (sent === undefined) return;
    sent.reply = { code, at: this.#parts.clock.now() };
    this.#parts.note(`letter ${sent.letter.number} (${sent.letter.content.length} bytes): ${code} by stream`);
  }

  #pump(): void {
    const client = this.#client;
    if (client === undefined || this.#link.over) return;
    for (let next = this.#letters[0]; next !== undefined; next = this.#letters[0]) {
      if (!client.mayBegin(next.content.length + 500)) break;
      this.#letters.shift();
      const sent = this.#parts.records.announce(next);
      const recipients = next.recipients.map((address) => ({ address, context: NO_VALUES }));
      const envelope = { flags: 0, sender: next.reversePath, context: NO_VALUES, recipients };
      this.#flying.set(client.begin(envelope, [next.content], true), sent);
      const bytes = joined(client.take());
      sent.accepted.push(...next.recipients);
      if (this.#link.write(bytes) < bytes.length) return this.finish();
      sent.dotAt = this.#parts.clock.now();
    }
    if (client.state === 'ready' && this.#letters.length === 0 && this.#flying.size === 0) client.bye();
    const rest = joined(client.take());
    if (rest.length > 0) this.#link.write(rest);
  }
}

class StreamLink extends ClientLink {
  readonly #session: StreamSession;

  constructor(
    clock: SourceParts['clock'],
    network: SourceParts['network'],
    exit: { after: number; how: Exit } | undefined,
    session: StreamSession,
  ) {
    super(clock, network, exit, 1825);
    this.#session = session;
  }

  override opened(): void {
    this.#session.opened();
  }

  override data(chunk: Uint8Array): void {
    this.#session.data(chunk);
  }

  override closed(): void {
    super.closed();
    this.#session.finish();
  }
}
