import type { Command, Output } from '../command.ts';
import { addressAndPort, decimals } from '../layout.ts';

/** `show inbound` and `show outbound`: one line for each connection. */
export const showInbound: Command = {
  words: 'show inbound',
  summary: 'open inbound sessions',
  usage: 'show inbound',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    const now = house.clock.now();
    for (const { number, handler, family, ip, port, state, sinceMillis, floating } of house.sessions.inbound()) {
      const peer = family === 'Unix' ? 'Unix' : `${family} ${addressAndPort(ip, port)}`;
      const seconds = decimals(Math.max(0, now - sinceMillis) / 1000, 3);
      yield `${number}: [inbound/${handler}] ${peer} ${state} (for ${seconds}s)${floating ? ' [floating]' : ''}\n`;
    }
    return 'ok';
  },
};

export const showOutbound: Command = {
  words: 'show outbound',
  summary: 'open outbound connections',
  usage: 'show outbound',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    for (const { number, state, domain, family, address } of house.delivery.connections()) {
      yield `${number}: [outbound/${state.replaceAll(' ', '_')}] ${domain} ${family} ${address}\n`;
    }
    return 'ok';
  },
};
