import type { Command, Output } from '../command.ts';

export const tlsShowCache: Command = {
  words: 'tls show cache',
  summary: 'TLS contexts in use, and handshakes of clients that failed',
  usage: 'tls show cache',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    let number = 0;
    for (const { side, ageSeconds, certificates, authorities, ciphers } of house.tls.contexts()) {
      number += 1;
      yield `${String(number).padStart(4)}) ${side} context\n`;
      yield row('age', `${ageSeconds} seconds old`);
      for (const certificate of certificates.length === 0 ? ['none'] : certificates)
        yield row('certificate', certificate);
      yield row('ca list', authorities);
      yield row('ciphers', ciphers);
    }
    yield `${house.tls.failedHandshakes} handshakes of clients have failed.\n`;
    return 'ok';
  },
  json: ({ rest, house }) =>
    rest.length > 0
      ? undefined
      : { contexts: [...house.tls.contexts()], failed_handshakes: house.tls.failedHandshakes },
};

export const tlsFlushCache: Command = {
  words: 'tls flush cache',
  summary: 'make TLS contexts anew when they are needed next',
  usage: 'tls flush cache',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    house.tls.flush();
    yield 'Cache flush request submitted.\n';
    return 'ok';
  },
};

const row = (name: string, value: string): string => `${name.padStart(17)}: ${value}\n`;
