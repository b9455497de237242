/**
 * What does it cost to find the end of DATA, the doubled dots and lone CRs or LFs in a message of 10 KB with lines of 76
 * characters? Run: node bench/data-framing.ts
 *
 * The server uses the first of these. The native searches alone find the end, but a lone CR or LF must be known too, and
 * among the ways to know it, walking the LFs of a Latin-1 copy is the cheapest.
 */
import { BodyReader } from '../src/smtp/body-reader.ts';
import { introduce } from './load/machine.ts';

introduce('framing of DATA: one message of 10 KB, µs each');

const message = Buffer.from(`${`${'x'.repeat(76)}\r\n`.repeat(131)}.\r\n`, 'latin1');
const crlfDot = Buffer.from('\r\n.', 'latin1');
const text = (): string => message.toString('latin1');
let sum = 0;

const ways: Readonly<Record<string, () => number>> = {
  'BodyReader: whole message in one chunk': () => new BodyReader().read(message, 0, []),
  'BodyReader: cut in the middle': () => {
    const reader = new BodyReader();
    const views: Uint8Array[] = [];
    reader.read(message.subarray(0, 5000), 0, views);
    return reader.read(message.subarray(5000), 0, views);
  },
  'end only: Buffer.indexOf CRLF-dot': () => message.indexOf(crlfDot),
  'Latin-1 copy only': () => text().length,
  'lone: LFs and CRs of the copy by indexOf': () => {
    const copy = text();
    for (let at = 0; ; ) {
      const lf = copy.indexOf('\n', at);
      if (lf === -1) return 0;
      if (copy.indexOf('\r', at) !== lf - 1) return 1;
      at = lf + 1;
    }
  },
  'lone: LFs of the buffer by indexOf (lone CRs not seen)': () => {
    for (let at = 0; ; ) {
      const lf = message.indexOf(10, at);
      if (lf === -1) return 0;
      if (message[lf - 1] !== 13) return 1;
      at = lf + 1;
    }
  },
  'lone: regular expression with look-around on the copy': () => (/\r(?!\n)|(?<!\r)\n/.test(text()) ? 1 : 0),
  'lone: copy without CRLF, then includes': () => {
    const rest = text().replaceAll('\r\n', '');
    return rest.includes('\r') || rest.includes('\n') ? 1 : 0;
  },
  'lone: byte by byte': () => {
    for (let at = 0; at < message.length; at += 1) {
      const byte = message[at];
      if (byte === 10 && message[at - 1] !== 13) return 1;
      if (byte === 13 && message[at + 1] !== 10) return 1;
    }
    return 0;
  },
};

const ROUNDS = 20_000;
for (const [name, run] of Object.entries(ways)) {
  for (let round = 0; round < ROUNDS / 4; round += 1) sum += run();
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) sum += run();
  const micros = ((performance.now() - start) * 1000) / ROUNDS;
  console.log(`${micros.toFixed(2).padStart(8)} µs  ${name}`);
}
if (sum === 0) console.log('nothing was found');
