/**
 * What does one message of 10 KB cost from the socket's chunk to the acknowledgement, without disk and network?
 * Run: node bench/reception.ts
 *
 * The conversation is that of smtp-source: MAIL, RCPT, DATA and body one after the other in one session.
 */
import { MailIn, OPEN } from '../test/dialogues/mail-in.ts';
import { introduce } from './load/machine.ts';

const MESSAGES = 40_000;
introduce(`reception: ${MESSAGES} messages of 10 KB in one session, three times, without disk and network`);
const body = Buffer.from(`From: <a@b.c>\r\nSubject: x\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(131)}.\r\n`);
const steps = ['MAIL FROM:<sender@example.com>\r\n', 'RCPT TO:<recipient@example.org>\r\n', 'DATA\r\n'].map((text) =>
  Buffer.from(text),
);

for (let round = 0; round < 3; round += 1) {
  const house = new MailIn(OPEN);
  const peer = house.greeted();
  const start = performance.now();
  for (let message = 0; message < MESSAGES; message += 1) {
    for (const step of steps) peer.host?.data(Buffer.from(step));
    peer.host?.data(Buffer.from(body));
    house.clock.turn();
    house.spool.kept.length = 0;
    house.spool.drafts.length = 0;
    house.enqueued.length = 0;
    house.recorded.length = 0;
    peer.writes.length = 0;
  }
  const micros = ((performance.now() - start) * 1000) / MESSAGES;
  console.log(`${micros.toFixed(1)} µs a message`);
}
