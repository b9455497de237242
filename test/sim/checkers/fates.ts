import type { AttemptEvent, ReceptionEvent } from '../../../src/events/index.ts';
import { replyText } from '../../../src/smtp/index.ts';
import type { Crashes } from '../crashes.ts';
import type { Received } from '../peers/exchanger-session.ts';
import { SENDERS } from '../places.ts';
import { type Arrival, type Final, isConfirmed, type Records, type Track } from '../records.ts';
import type { Violations } from '../violations.ts';

interface FatesParts {
  readonly now: () => number;
  readonly records: Records;
  readonly crashes: Crashes;
  readonly violations: Violations;
  /** Whether a failure for good of mail to that domain is to be told to its sender. */
  readonly bounces: (domain: string) => boolean;
}

/**
 * Every 250 ends in exactly one final outcome; nothing is done twice but in the documented windows; bodies arrive byte
 * for byte; each failure has its one bounce, and each message its reception before anything else.
 */
export class Fates {
  readonly #parts: FatesParts;
  /** Arrivals that the server may still read the reply to. */
  #open: { readonly track: Track; readonly arrival: Arrival }[] = [];
  readonly #matched = new Set<Arrival>();
  /** Senders of letters that have failed at this moment, and must be told. */
  readonly #owed = new Set<string>();
  /** Senders who asked to be told of success, and had some. */
  readonly #hoped = new Set<string>();
  /** Bounces by the recipient that they report. */
  readonly #reported = new Map<string, Track>();

  constructor(parts: FatesParts) {
    this.#parts = parts;
  }

  received(event: ReceptionEvent): void {
    const { now, records, violations } = this.#parts;
    const track = records.of(event.messageId, event.recipient);
    if (track.receivedAt !== undefined) violations.report('reception', `${track.key} was received twice`);
    if (track.finals.length > 0) violations.report('log order', `R of ${track.key} comes behind its end`);
    track.receivedAt = now();
    track.messageId = event.messageId;
    if (track.letter === undefined) {
      if (event.protocol !== 'internal')
        violations.report('reception', `nobody sent ${track.key} to ${event.recipient}`);
      const hoped = this.#hoped.has(event.recipient);
      if (!this.#owed.delete(event.recipient) && !hoped)
        violations.report('bounces', `a bounce for ${event.recipient} without a failure`);
    } else if (records.sent.get(track.letter.number)?.dotAt === undefined) {
      violations.report('reception', `${track.key} was received, but its end was never sent`);
    }
  }

  attempted(event: AttemptEvent): Track {
    const { crashes, now, records, violations } = this.#parts;
    const track = records.of(event.messageId, event.recipient);
    if (track.receivedAt === undefined && !this.#unannounced(track, event))
      violations.report('log order', `${event.kind} of ${track.key} before its R`);
    track.messageId ??= event.messageId;
    const excused = crashes.troublesIn(now() - 60_000, now()) > 0 || crashes.blindSince(0);
    if (event.reply.text.includes('message body') && !excused)
      violations.report('no loss', `the body of ${track.key} is gone: ${replyText(event.reply)}`);
    return track;
  }

  delivered(track: Track): void {
    const arrival = track.arrivals.find((each) => isConfirmed(each) && !this.#matched.has(each));
    if (arrival === undefined) this.#parts.violations.report('delivery', `${track.key} is delivered but never arrived`);
    else this.#matched.add(arrival);
    // A server without DSN tells nobody: we may, once it is on disk, if the disk takes it.
    const noticed = track.letter?.notify === 'SUCCESS,FAILURE';
    if (noticed && track.letter !== undefined) this.#hoped.add(track.letter.reversePath);
    this.#end(track, { kind: 'delivered', at: this.#parts.now(), replaced: false, noticed });
  }

  failed(track: Track, event: AttemptEvent): void {
    const sender = track.letter?.reversePath ?? '';
    const due =
      sender !== '' &&
      track.letter?.notify !== 'NEVER' &&
      !isQuiet(track, event) &&
      this.#parts.bounces(event.routingDomain);
    if (due) this.#owed.add(sender);
    this.#end(track, { kind: 'failed', at: this.#parts.now(), replaced: due });
  }

  /** A peer has seen RCPT for it. */
  tried(track: Track, sentAt: number): void {
    const { violations } = this.#parts;
    for (const end of track.finals) {
      if (end.at < sentAt && !this.#undone(end))
        violations.report('one outcome', `${track.key} is sent again after it was ${end.kind} at ${end.at}`);
    }
  }

  arrived(host: string, received: Received): void {
    const { now, records, violations } = this.#parts;
    const bounce = received.recipients.some((each) => each.endsWith(`@${SENDERS}`));
    for (const recipient of received.recipients) {
      const track = bounce ? this.#bounceOf(received, recipient) : records.tracks.get(recipient);
      if (track === undefined) {
        violations.report('bodies', `a message for ${recipient} that nobody sent`);
        continue;
      }
      if (!bounce) this.#compare(track, received);
      const arrival = { at: now(), host, pipe: received.pipe, saidBy: received.saidBy };
      track.arrivals.push(arrival);
      if (arrival.saidBy !== undefined) this.#open.push({ track, arrival });
    }
  }

  /** The server has nothing to do at this moment. */
  quiet(): void {
    const { violations } = this.#parts;
    for (const sender of this.#owed) violations.report('bounces', `${sender} is not told of a failure`);
    if (this.#open.length === 0) return;
    this.#open = this.#open.filter(({ track, arrival }) => {
      if (this.#matched.has(arrival)) return false;
      if (isConfirmed(arrival)) {
        violations.report('delivery', `the server has read that ${track.key} is taken and does not know it`);
        return false;
      }
      return arrival.pipe.open;
    });
  }

  died(): void {
    this.#owed.clear();
  }

  /**
   * When the queue is empty: everything has its end.
   *
   * @param calm nothing has gone wrong at all
   * @param polite nothing has gone wrong between senders and spool: every letter must have been taken
   */
  finish(calm: boolean, polite: boolean): void {
    for (const sent of this.#parts.records.sent.values()) {
      const { letter, reply } = sent;
      if (polite && (sent.dotAt === undefined ? calm : reply?.code !== 250))
        this.#parts.violations.report('answers', `letter ${letter.number} was answered ${reply?.code ?? 'never'}`);
      for (const recipient of letter.recipients) {
        const track = this.#parts.records.tracks.get(recipient);
        if (track === undefined) continue;
        if (reply?.code === 250 && sent.accepted.includes(recipient)) this.#mustHaveEnded(track);
        else if (reply !== undefined && reply.code !== 250) this.#mustNotExist(track, sent.dotAt ?? 0, reply.at);
        else if (sent.dotAt === undefined && track.arrivals.length > 0)
          this.#parts.violations.report('reception', `${recipient} was delivered, but its end was never sent`);
        if (calm && track.arrivals.length > 1)
          this.#parts.violations.report('one outcome', `${recipient} has arrived ${track.arrivals.length} times`);
      }
    }
    for (const track of this.#parts.records.bounces.values()) {
      if (track.finals.length === 0)
        this.#parts.violations.report('no loss', `the bounce ${track.key} for ${track.recipient} is lost`);
    }
  }

  #end(track: Track, final: Final): void {
    const { violations } = this.#parts;
    for (const earlier of track.finals) {
      if (!this.#undone(earlier))
        violations.report('one outcome', `${track.key} is ${final.kind}, but was ${earlier.kind} at ${earlier.at}`);
    }
    const bounce = this.#reported.get(track.key);
    const known = track.finals.some((each) => each.replaced) || this.#parts.crashes.blindSince(0);
    if (bounce !== undefined && !known)
      violations.report('one outcome', `${track.key} is ${final.kind}, but a bounce about it has arrived`);
    track.finals.push(final);
  }

  /** Whether a crash may have undone it. */
  #undone({ at, replaced, noticed = false }: Final): boolean {
    const { crashes } = this.#parts;
    if (noticed && crashes.soonAfter(at)) return true;
    return replaced ? crashes.blindSince(at) : crashes.excuse(at);
  }

  #mustHaveEnded(track: Track): void {
    const { violations, records } = this.#parts;
    if (track.receivedAt === undefined) violations.report('log order', `${track.key} was acknowledged without an R`);
    if (track.finals.length > 0 || this.#reported.has(track.key)) return;
    // Its bounce was on disk when the server died, and the death came before the log: the bounce tells by itself.
    const told = [...records.bounces.values()].some(
      (bounce) => bounce.receivedAt === undefined && bounce.recipient === track.letter?.reversePath,
    );
    if (!told) violations.report('no loss', `${track.key} was acknowledged and is lost`);
  }

  /** The sender was refused: the message may exist only when neither the record nor the abort behind it could be written. */
  #mustNotExist(track: Track, dotAt: number, repliedAt: number): void {
    const { crashes, violations } = this.#parts;
    if (track.arrivals.length === 0 && track.finals.length === 0) return;
    if (track.receivedAt === undefined && crashes.blindSince(dotAt)) return;
    if (track.receivedAt === undefined && crashes.count > 0 && crashes.troublesIn(dotAt, repliedAt) >= 2) return;
    violations.report('refusal', `${track.key} was refused and delivered all the same`);
  }

  #compare(track: Track, received: Received): void {
    const { violations } = this.#parts;
    const { letter } = track;
    if (letter === undefined) return;
    if (received.reversePath !== letter.reversePath)
      violations.report('bodies', `${track.key} came from <${received.reversePath}>, not <${letter.reversePath}>`);
    const text = received.body.toString('latin1');
    const trace = /^Return-Path: <[^\r\n]*>\r\nReceived: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*/.exec(text)?.[0];
    if (trace === undefined) {
      violations.report('bodies', `${track.key} came without our trace fields`);
    } else if (!received.body.subarray(trace.length).equals(letter.expected)) {
      const got = text.slice(trace.length);
      const at = [...got].findIndex((character, index) => character.charCodeAt(0) !== letter.expected[index]);
      violations.report(
        'bodies',
        `${track.key}: ${got.length} bytes, not ${letter.expected.length}; the first difference is at ${at}`,
      );
    }
  }

  #bounceOf(received: Received, recipient: string): Track {
    const { crashes, records, violations } = this.#parts;
    const text = received.body.toString('latin1');
    const id = /^Message-ID: <([^@>]*)@/m.exec(text)?.[1] ?? '';
    const bounce = records.bounce(id, recipient);
    if (received.reversePath !== '') violations.report('bounces', `the bounce ${id} has a sender`);
    const about = [...text.matchAll(/^Final-Recipient: rfc822; (\S+)\r\nAction: (\S+)/gm)].map(
      (match) => match[1] ?? '',
    );
    const relayed = text.includes('\r\nAction: relayed\r\n');
    if (about.length === 0) violations.report('bounces', `the bounce ${id} is about nobody`);
    for (const each of about) {
      const track = records.tracks.get(each);
      const other = this.#reported.get(each);
      if (track?.letter?.reversePath !== recipient)
        violations.report('bounces', `the bounce ${id} tells ${recipient} about ${each}`);
      if (track?.letter?.notify === 'NEVER')
        violations.report('bounces', `${recipient} is told about ${each}, and wanted to hear nothing`);
      if (relayed) {
        if (track?.letter?.notify !== 'SUCCESS,FAILURE')
          violations.report('bounces', `${recipient} did not ask to be told that ${each} was delivered`);
        continue;
      }
      if (other !== undefined && other !== bounce && !crashes.blindSince(0))
        violations.report('bounces', `${each} is reported twice, in ${other.key} and ${id}`);
      this.#reported.set(each, bounce);
    }
    return bounce;
  }

  /** Whether the server died between the sync that made it durable and the line about it. */
  #unannounced(track: Track, event: AttemptEvent): boolean {
    const { crashes, now, records } = this.#parts;
    if (track.letter === undefined) return crashes.diedSince(now() - event.queuedSeconds * 1000 - ROUNDING);
    const sent = records.sent.get(track.letter.number);
    return sent?.dotAt !== undefined && sent.reply?.code !== 250 && crashes.diedSince(sent.dotAt);
  }
}

/** Milliseconds that a time may lose on its way through seconds. */
const ROUNDING = 1;

/** An operator's word, or ours for him, that asks for no bounce. */
const isQuiet = (track: Track, event: AttemptEvent): boolean =>
  (track.quiet && event.reply.text === 'manually failed') || replyText(event.reply).includes(QUIETLY);

/** Notes of an operator who wants no bounces have this in them. */
export const QUIETLY = 'without a word';
