/**
 * How many sessions can log in a second? Each is a connection of its own: banner, EHLO, AUTH PLAIN against a file of a
 * thousand users, QUIT; a hundred at once, without disk and network.
 * Run: node bench/auth.ts
 */
import { MailIn, type Peer } from '../test/dialogues/mail-in.ts';
import { introduce } from './load/machine.ts';

const SESSIONS = 10_000;
const AT_ONCE = 100;
introduce(`auth: ${SESSIONS} sessions with AUTH PLAIN, ${AT_ONCE} at once, three times, without disk and network`);

const users = Array.from({ length: 1000 }, (_, index) => `user${index}:secret${index}\n`).join('');
const login = (index: number): string =>
  `AUTH PLAIN ${Buffer.from(`\0user${index % 1000}\0secret${index % 1000}`).toString('base64')}\r\n`;

for (let round = 0; round < 3; round += 1) {
  const house = new MailIn(
    { smtp_extensions: ['ENHANCEDSTATUSCODES', 'AUTH PLAIN'], authplainparameters: { uri: 'file:///users' } },
    new Map([['/users', users]]),
  );
  const start = performance.now();
  for (let session = 0; session < SESSIONS; session += AT_ONCE) {
    const peers: Peer[] = [];
    for (let index = 0; index < AT_ONCE; index += 1) {
      const peer = house.greeted();
      peer.hears();
      peer.sends(login(session + index));
      peers.push(peer);
    }
    await new Promise((resolve) => setImmediate(resolve));
    for (const peer of peers) {
      if (!peer.hears().startsWith('235 ')) throw new Error('a login has failed');
      peer.sends('QUIT\r\n');
    }
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${Math.round(SESSIONS / seconds)} sessions a second`);
}
