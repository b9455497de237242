import { LAX, MailIn } from '../../dialogues/mail-in.ts';
import { cutsFor, type FuzzTarget } from '../target.ts';
import { server } from './smtp-server.ts';

const LONE = /\r(?!\n)|(?<!\r)\n/;

/** The first byte chooses how lone line ends are taken. */
function houseFor(choice: number): MailIn {
  return new MailIn({
    ...LAX,
    rfc2822_lone_lf_in_headers: (choice & 1) !== 0 ? 'fix' : 'pedantic',
    rfc2822_lone_lf_in_body: ['ignore', 'pedantic', 'fix'][choice % 3] ?? 'fix',
    rfc2821_pedantic_address_rules: (choice & 4) !== 0 ? 'true' : 'false',
    allow_trailing_whitespace_in_commands: (choice & 8) !== 0 ? 'true' : 'false',
    max_message_size: (choice & 16) !== 0 ? '2000' : '0',
  });
}

function taken(house: MailIn): string | undefined {
  for (const { envelope, traits, body } of house.spool.kept) {
    const paths = [envelope.reversePath, ...envelope.recipients.map(({ path }) => path)];
    if (paths.some((path) => /[^\x20-\x7e]/.test(path))) return `a path ${JSON.stringify(paths)}`;
    if (envelope.size !== body.length) return `${body.length} bytes are called ${envelope.size}`;
    // Our own field: nothing that a client said may end it.
    const field =
      /^Return-Path: <[\x20-\x7e]*>\r\nReceived: from (?:[\x20-\x7e]|\r\n\t)+;\r\n\t\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\n/.exec(
        body,
      );
    if (field === null) return `no Received field of ours: ${JSON.stringify(body.slice(0, 300))}`;
    if (!body.endsWith('\n') && !traits.lone) return 'the last line has no end';
    if (LONE.test(body) && !traits.lone) return 'lone line ends are kept that nobody is told of';
    if (/(?:^|\r\n)\./.test(body) && !traits.dots && !traits.lone)
      return 'lines begin with dots that nobody is told of';
  }
  return undefined;
}

export const reception: FuzzTarget = {
  name: 'reception',
  about: 'a whole session: no complaint of ours, and what is kept is what delivery is told of',
  words: [...server.words, 'Received: ', '(', ')', ';', '\r\n\t', 'EHLO a\tb', 'MAIL FROM:<"\\'],
  generate: server.generate,
  check(input) {
    for (const cut of cutsFor(input)) {
      const house = houseFor(input[0] ?? 0);
      const peer = house.connect();
      for (const part of cut(input.subarray(1))) {
        peer.host?.data(Buffer.from(part));
        house.clock.turn();
      }
      if (!peer.ended) peer.hangsUp();
      house.clock.turn();
      if (house.complaints.length > 0) return house.complaints[0];
      if (house.slotsGivenBack !== 1) return `its place was given back ${house.slotsGivenBack} times`;
      if (house.spool.drafts.length < house.spool.kept.length) return 'more messages than drafts';
      const trouble = taken(house);
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  },
};
