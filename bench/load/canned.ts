/**
 * What Node's sockets can do on this machine with such sessions: a server that reads nothing but line ends, and gives the
 * replies that the other one would give, from the first to the last. A process of its own for bench/auth.ts:
 * node canned.ts PORT login|plain
 */
import { createServer } from 'node:net';

const [port = '0', kind = 'login'] = process.argv.slice(2);
const EHLO =
  '250-impetus.test says EHLO to 127.0.0.2\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-AUTH PLAIN\r\n250 AUTH=PLAIN\r\n';
const REPLIES = [
  EHLO,
  ...(kind === 'login' ? ['235 2.7.0 Authentication successful\r\n'] : []),
  '221 2.0.0 impetus.test closing connection\r\n',
];

createServer({ noDelay: true }, (socket) => {
  let said = 0;
  socket.write('220 impetus.test ESMTP\r\n');
  socket.on('data', (bytes) => {
    for (let lf = bytes.indexOf(10); lf !== -1; lf = bytes.indexOf(10, lf + 1)) socket.write(REPLIES[said++] ?? '');
    if (said === REPLIES.length) socket.end();
  });
  socket.on('error', () => socket.destroy());
}).listen({ port: Number(port), host: '127.0.0.1', backlog: 1024 });
