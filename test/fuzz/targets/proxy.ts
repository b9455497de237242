import { ProxyHeader } from '../../../src/listener/proxy-header.ts';
import { type Cut, type FuzzTarget, latin, sameWhateverTheCut } from '../target.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

/** What comes of it, and how many bytes are the session's. */
function read(input: Buffer, cut: Cut): string {
  const header = new ProxyHeader();
  let behind = '';
  let done = false;
  let said = 'more';
  for (const chunk of cut(input)) {
    if (done) {
      behind += chunk.toString('latin1');
      continue;
    }
    const outcome = header.read(chunk);
    if (outcome.kind === 'more') continue;
    done = true;
    // A bad header is told by its first wrong byte: what is behind it nobody reads.
    if (outcome.kind === 'bad') return 'bad';
    said = `${outcome.version} ${outcome.source?.ip} ${outcome.source?.port}`;
    behind = Buffer.from(outcome.rest).toString('latin1');
  }
  return `${said} ${behind}`;
}

export const proxyHeader: FuzzTarget = {
  name: 'proxy-header',
  about: 'both versions of the PROXY header say the same, however their bytes come, and give back what is behind them',
  words: ['PROXY TCP4 ', 'PROXY UNKNOWN', 'TCP6', '\r\n', SIGNATURE, '\x21\x11', '\x20\0', '\0\x0c', '\xff\xff', '::1'],
  generate(dice) {
    const behind = dice.happens(0.5) ? 'EHLO x\r\n' : '';
    if (dice.happens(0.5))
      return latin(`PROXY TCP4 192.0.2.${dice.between(1, 300)} 192.0.2.9 ${dice.scale(1, 99_999)} 25\r\n${behind}`);
    const six = dice.happens(0.3);
    const addresses = 'x'.repeat(six ? 36 : 12) + '\x04\0\x01z'.repeat(dice.between(0, 2));
    const length = String.fromCharCode(addresses.length >> 8, addresses.length & 255);
    return latin(
      `${SIGNATURE}${dice.happens(0.1) ? '\x20' : '\x21'}${six ? '\x21' : '\x11'}${length}${addresses}${behind}`,
    );
  },
  check: (input) => sameWhateverTheCut(input, (cut) => read(input, cut)),
};
