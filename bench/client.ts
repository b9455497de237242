/**
 * What does one delivery cost in the SMTP client machine, without sockets and disk? Run: node bench/client.ts
 *
 * One session, one recipient a message, the body as one view of 10 KB; the peer's replies come as a socket gives them,
 * one chunk for each write of ours.
 */

import { millis } from '../src/base/index.ts';
import { OutgoingBody, SmtpClient } from '../src/smtp/index.ts';
import { introduce } from './load/machine.ts';

const MESSAGES = 200_000;
introduce(`client machine: ${MESSAGES} transactions of 10 KB in one session; µs each`);

const body = Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(131), 'latin1');
const chunk = (text: string): Buffer => Buffer.from(text, 'latin1');
const replies = {
  banner: '220 peer.example ESMTP\r\n',
  ehlo: '250-peer.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 ENHANCEDSTATUSCODES\r\n',
  plainEhlo: '250 peer.example\r\n',
  ok: '250 2.1.0 accepted\r\n',
  go: '354 go on\r\n',
  taken: '250 2.0.0 taken as 4Bq0Xk1y5Yz\r\n',
};

/** @returns bytes that would have been written */
function session(messages: number, pipelining: boolean): number {
  const now = millis(0);
  const machine = new SmtpClient(
    {
      ehloName: 'me.example',
      plainSmtp: false,
      lmtp: false,
      pipelining,
      tls: { use: 'no', fallback: true, alwaysNewConnection: true },
      timeouts: { ehlo: 60_000, mailFrom: 60_000, rcptTo: 60_000, body: 60_000, rset: 60_000 },
    },
    now,
  );
  let begun = 0;
  let settled = 0;
  let written = 0;
  const flush = (): string => {
    let text = '';
    for (const view of machine.take()) {
      written += view.length;
      text += Buffer.from(view.buffer, view.byteOffset, view.length).toString('latin1');
    }
    return text;
  };
  /** What the peer says to what it was sent. */
  const answers = (text: string): string => {
    let said = '';
    for (let at = 0; at < text.length; at = text.indexOf('\n', at) + 1) {
      if (text.startsWith('DATA', at)) said += replies.go;
      else if (text.startsWith('EHLO', at)) said += pipelining ? replies.ehlo : replies.plainEhlo;
      else said += replies.ok;
    }
    return said;
  };
  let next = replies.banner;
  while (settled < messages) {
    machine.receive(chunk(next), now);
    next = '';
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      if (event.kind === 'ready') {
        if (begun === messages) continue;
        const transaction = ++begun;
        machine.say(
          event.turn,
          {
            kind: 'transaction',
            transaction,
            reversePath: 'bounces@source.example',
            recipients: [`recipient${transaction}@destination.example`],
            size: body.length,
          },
          now,
        );
      } else if (event.kind === 'body') {
        const outgoing = new OutgoingBody(false, false);
        for (const view of outgoing.pass([body])) written += view.length;
        for (const view of outgoing.end()) written += view.length;
        machine.say(event.turn, { kind: 'sent' }, now);
        next += replies.taken;
      } else if (event.kind === 'settled') {
        if (event.results[0]?.kind !== 'delivered') throw new Error('a delivery failed');
        settled++;
      } else throw new Error(`${event.kind} was not expected`);
    }
    next += answers(flush());
  }
  return written;
}

for (const pipelining of [true, false]) {
  session(MESSAGES / 10, pipelining);
  const began = performance.now();
  const bytes = session(MESSAGES, pipelining);
  const micros = ((performance.now() - began) * 1000) / MESSAGES;
  console.log(
    `${micros.toFixed(2).padStart(8)} µs a message ${pipelining ? 'with' : 'without'} PIPELINING, ${(bytes / MESSAGES).toFixed(0)} bytes written`,
  );
}
