import type { Command, Output } from '../command.ts';
import type { House } from '../house.ts';

/** What runs here: `version`, `pid`, `sysinfo`. */
export const version: Command = {
  words: 'version',
  summary: 'product and version',
  usage: 'version',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    yield banner(house.product.name, house.product.version, house.machine.hostName);
    return 'ok';
  },
  json: ({ rest, house }) =>
    rest.length > 0 ? undefined : { product: house.product.name, version: house.product.version },
};

/** Two lines between lines of `#`: `version` prints it, and the client as its header. */
export const banner = (product: string, version_: string, host: string): string =>
  `${rule}# ${product} version: ${version_}\n# ${host}\n${rule}`;

const rule = `${'#'.repeat(46)}\n`;

export const pid: Command = {
  words: 'pid',
  summary: 'process id of the server',
  usage: 'pid',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    yield `${house.machine.id}\n`;
    return 'ok';
  },
};

export const sysinfo: Command = {
  words: 'sysinfo',
  summary: 'version, build and operating system',
  usage: 'sysinfo',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    yield* facts(house);
    return 'ok';
  },
};

function* facts({ product, machine }: House): Generator<string> {
  yield `${product.name} Version: ${product.version} (${machine.bits}-bit)\n`;
  yield `build date: ${product.buildDate}\n`;
  yield `product name: ${product.name}\n`;
  yield `${machine.release}\n`;
  yield `${machine.uname}\n`;
}
