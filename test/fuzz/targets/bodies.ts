import { joined } from '../../../src/base/index.ts';
import { BodyReader, OutgoingBody } from '../../../src/smtp/index.ts';
import { type Cut, type FuzzTarget, latin, sameWhateverTheCut } from '../target.ts';

const mended = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n');

/** A stored body goes out and is read by our own receiving side. */
function roundTrip(input: Buffer, cut: Cut): string {
  const text = input.toString('latin1');
  const dots = /(?:^|[\r\n])\./.test(text);
  const lone = /\r(?!\n)|(?<!\r)\n/.test(text);
  const outgoing = new OutgoingBody(dots, lone);
  const sent: Uint8Array[] = [];
  for (const part of cut(input)) sent.push(...outgoing.pass([part]));
  sent.push(...outgoing.end());
  const wire = joined(sent);
  const reader = new BodyReader();
  const views: Uint8Array[] = [];
  let end = -1;
  let at = 0;
  for (const part of cut(wire)) {
    const behind = reader.read(part, 0, views);
    if (behind !== -1) end = at + behind;
    at += part.length;
    if (behind !== -1) break;
  }
  if (end !== wire.length) throw new Error(`the end is at ${end} of ${wire.length}`);
  if (reader.lone) throw new Error('a lone line end was sent');
  const whole = mended(text);
  const wanted = whole === '' || whole.endsWith('\n') ? whole : `${whole}\r\n`;
  const read = joined(views).toString('latin1');
  if (read !== wanted)
    throw new Error(`${JSON.stringify(read.slice(0, 100))} arrives for ${JSON.stringify(wanted.slice(0, 100))}`);
  return wire.toString('latin1');
}

export const bodies: FuzzTarget = {
  name: 'body',
  about: 'bodies out and in again: one end of data, behind the last byte, and the same text',
  words: ['\r\n.\r\n', '\n.\n', '\r.\r', '.', '..', '\r\n', '\n', '\r', '\0', '\r\r\n'],
  generate(dice) {
    let text = 'Subject: x\r\n\r\n';
    for (let lines = dice.scale(1, 60); lines > 0; lines--)
      text += `${dice.of(['', '.', '..', '.x', 'text', 'x'.repeat(dice.scale(1, 3000))])}${dice.weighted({ '\r\n': 12, '\n': 1, '\r': 1 })}`;
    return latin(text);
  },
  check: (input) => sameWhateverTheCut(input, (cut) => roundTrip(input, cut)),
};
