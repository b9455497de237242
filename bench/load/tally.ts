/** Steps of a session whose time is taken. */
export const timed = ['connect', 'TLS', 'AUTH', 'MAIL', 'DATA', 'end of data'] as const;
export type Timed = (typeof timed)[number];

/** Buckets for each doubling: a value is told with an error of 2 % at most. */
const FINENESS = 32;
/** Microseconds up to 2^36, nineteen hours. */
const BUCKETS = 36 * FINENESS;

/** Durations in a fixed space, however many they are; those of several processes add up. */
export class Histogram {
  readonly counts: number[] = new Array<number>(BUCKETS).fill(0);
  count = 0;
  /** Milliseconds. */
  most = 0;

  add(millis: number): void {
    const micros = Math.max(1, millis * 1000);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(micros) * FINENESS));
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.count += 1;
    if (millis > this.most) this.most = millis;
  }

  /** @returns milliseconds, below which that share of them lies; 0 of nothing */
  at(share: number): number {
    let left = Math.ceil(this.count * share);
    for (const [bucket, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0 && count > 0) return Math.min(this.most, 2 ** ((bucket + 0.5) / FINENESS) / 1000);
    }
    return this.most;
  }

  merge(other: Pick<Histogram, 'counts' | 'count' | 'most'>): void {
    for (const [bucket, count] of other.counts.entries()) this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
    this.count += other.count;
    this.most = Math.max(this.most, other.most);
  }
}

/** What came of a load. Plain numbers and records, so that it passes between processes. */
export class Tally {
  /** Connections that were opened, and of them those that resumed a TLS session. */
  connections = 0;
  resumed = 0;
  /** Messages whose MAIL went out. */
  sent = 0;
  accepted = 0;
  acceptedRecipients = 0;
  /** Bytes of accepted messages. */
  bytes = 0;
  /** Messages that were under way when their connection was lost. */
  lost = 0;
  /** By what was refused, and the code: `RCPT 550`. */
  refused: Record<string, number> = {};
  errors: Record<string, number> = {};
  times: Record<Timed, Histogram> = {
    connect: new Histogram(),
    TLS: new Histogram(),
    AUTH: new Histogram(),
    MAIL: new Histogram(),
    DATA: new Histogram(),
    'end of data': new Histogram(),
  };
  /** Open now. */
  open = 0;

  refuse(what: string, code: number): void {
    const key = `${what} ${code}`;
    this.refused[key] = (this.refused[key] ?? 0) + 1;
  }

  fail(kind: string): void {
    this.errors[kind] = (this.errors[kind] ?? 0) + 1;
  }

  get failures(): number {
    return sum(this.errors);
  }

  get refusals(): number {
    return sum(this.refused);
  }

  /** @param other  of another process: methods are lost on the way */
  merge(other: Omit<Tally, 'merge' | 'refuse' | 'fail' | 'failures' | 'refusals'>): void {
    this.connections += other.connections;
    this.resumed += other.resumed;
    this.sent += other.sent;
    this.accepted += other.accepted;
    this.acceptedRecipients += other.acceptedRecipients;
    this.bytes += other.bytes;
    this.lost += other.lost;
    this.open += other.open;
    add(this.refused, other.refused);
    add(this.errors, other.errors);
    for (const name of timed) this.times[name].merge(other.times[name]);
  }
}

function add(to: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(from)) to[key] = (to[key] ?? 0) + count;
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);
