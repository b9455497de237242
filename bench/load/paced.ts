/**
 * A load of so many messages a second, and how long each waited for the reply to its dot. Run by itself:
 * `node bench/load/paced.ts --port P --rate R --seconds S --bytes B --sessions N [--once]`; `--once`: a connection for
 * each message. Prints one line of JSON, a `Paced`.
 */
import { parseArgs } from 'node:util';
import { LeanSession, type Percentiles, Times, textOf } from './session.ts';

export interface Paced extends Percentiles {
  readonly messages: number;
  /** Messages a second that went out; less than was asked for when all sessions were waiting. */
  readonly rate: number;
  /** Share of the messages that went out more than 5 ms after their time, 0 to 1. */
  readonly late: number;
}

const LATE = 5;

export interface Pace {
  readonly port: number;
  readonly rate: number;
  readonly seconds: number;
  /** It ends sooner when this says so. */
  readonly enough?: () => boolean;
  readonly bytes: number;
  readonly sessions: number;
  readonly once: boolean;
}

/** Messages become due by the clock, not by the replies: a server that is slow gets no mercy. */
export function paced(pace: Pace): Promise<Paced> {
  const text = textOf(pace.bytes);
  const envelope = 'MAIL FROM:<a@src.test>\r\nRCPT TO:<b@dst.test>\r\nDATA\r\n';
  const times = new Times();
  const idle: LeanSession[] = [];
  const open = new Set<LeanSession>();
  let whole = Math.max(1, Math.round(pace.rate * pace.seconds));
  let sent = 0;
  let late = 0;
  let began = 0;
  return new Promise((resolve, reject) => {
    const connect = (): void => {
      const opened = new LeanSession(pace.port, {
        greeted: (session) => session.envelope(envelope),
        ready: (session) => {
          idle.push(session);
          if (began === 0 && idle.length === Math.min(pace.sessions, whole)) start();
        },
        taken: (session, took) => {
          times.add(took);
          if (times.count === whole) return finish();
          if (!pace.once) return session.envelope(envelope);
          session.quit();
          open.delete(session);
          connect();
        },
        over: (_session, why) => reject(why),
      });
      open.add(opened);
    };
    let timer: NodeJS.Timeout | undefined;
    const start = (): void => {
      began = performance.now();
      timer = setInterval(() => {
        const now = performance.now();
        if (pace.enough?.() === true) {
          whole = Math.max(1, sent);
          if (times.count === whole) return finish();
        }
        const due = Math.min(whole, Math.floor(((now - began) * pace.rate) / 1000));
        while (sent < due) {
          const session = idle.shift();
          if (session === undefined) break;
          if (now - began - (sent * 1000) / pace.rate > LATE) late++;
          sent++;
          session.text(text);
        }
      }, 1);
    };
    const finish = (): void => {
      clearInterval(timer);
      for (const session of open) session.drop();
      const seconds = (performance.now() - began) / 1000;
      resolve({ messages: whole, rate: whole / seconds, late: late / whole, ...times.summary() });
    };
    for (let i = 0; i < pace.sessions; i++) connect();
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '25' },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '5' },
      bytes: { type: 'string', default: '10240' },
      sessions: { type: 'string', default: '50' },
      once: { type: 'boolean', default: false },
    },
  });
  const result = await paced({
    port: Number(values.port),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    bytes: Number(values.bytes),
    sessions: Number(values.sessions),
    once: values.once,
  });
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
