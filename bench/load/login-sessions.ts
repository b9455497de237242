/**
 * Sessions one after the other over many connections, each a connection of its own: banner, EHLO, AUTH PLAIN if that is
 * wanted, QUIT. A process of its own for bench/auth.ts: node login-sessions.ts PORT AT_ONCE SECONDS login|plain
 *
 * Prints how many sessions were whole, and how many in a second; ends with 1 when one was not.
 */
import { createConnection } from 'node:net';

const [port = '0', atOnce = '1', seconds = '1', kind = 'login'] = process.argv.slice(2);
/** Users of the file that the server reads. */
const USERS = 1000;
/** One address has too few ports for a long run. */
const SOURCES = 8;

const began = performance.now();
const ends = began + Number(seconds) * 1000;
let whole = 0;
let begun = 0;
let open = 0;

for (let each = 0; each < Number(atOnce); each += 1) session();

function session(): void {
  const number = begun++;
  const user = number % USERS;
  const lines = [
    'EHLO client.test\r\n',
    ...(kind === 'login' ? [`AUTH PLAIN ${Buffer.from(`\0user${user}\0secret${user}`).toString('base64')}\r\n`] : []),
    'QUIT\r\n',
  ];
  const codes = ['220', '250', ...(kind === 'login' ? ['235'] : []), '221'];
  let said = 0;
  let heard = '';
  open += 1;
  const socket = createConnection({
    host: '127.0.0.1',
    port: Number(port),
    localAddress: `127.0.0.${2 + (number % SOURCES)}`,
    noDelay: true,
  });
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
    // The last line of a reply has a blank behind its code.
    const last = heard.lastIndexOf('\n', heard.length - 2) + 1;
    if (!heard.endsWith('\n') || heard[last + 3] !== ' ') return;
    if (!heard.startsWith(codes[said] ?? '')) fail(`${codes[said]} was expected: ${heard}`);
    heard = '';
    const line = lines[said++];
    if (line !== undefined) socket.write(line);
  });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => {
    if (said !== codes.length) fail(`it ended after ${said} replies`);
    whole += 1;
    open -= 1;
    if (performance.now() < ends) session();
    else if (open === 0) console.log(`${whole} ${(whole * 1000) / (performance.now() - began)}`);
  });
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
