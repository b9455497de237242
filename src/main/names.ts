import { seconds } from '../base/index.ts';
import { option, optional, path, type View } from '../config/index.ts';
import {
  type Disk,
  hostsFile,
  type Resolver,
  resolvConf as readResolvConf,
  resolver,
  type World,
} from '../world/index.ts';

/** Where name servers are listed (manual page resolv_conf). */
export const resolvConf = option('resolv_conf', optional(path), { dynamic: false });

const DEFAULT_FILE = '/etc/resolv.conf';
const HOSTS_FILE = '/etc/hosts';
const MOST_ANSWERS = 100_000;
const LONGEST_TTL = seconds(86_400);

/** Our resolver with the machine's name servers and its hosts file. A machine without either asks itself. */
export async function namesFor(world: World, global: View): Promise<Resolver> {
  const { clock, chance, network, disk } = world;
  const settings = readResolvConf(await textOf(disk, global.get(resolvConf) ?? DEFAULT_FILE));
  return resolver(
    { clock, chance, network },
    {
      ...settings,
      tcpFallback: true,
      maxCacheEntries: MOST_ANSWERS,
      minTtl: seconds(0),
      maxTtl: LONGEST_TTL,
      hosts: hostsFile(await textOf(disk, HOSTS_FILE)),
    },
  );
}

async function textOf(disk: Disk, file: string): Promise<string> {
  try {
    return Buffer.from(await disk.read(file)).toString('latin1');
  } catch {
    // No such file, or none that we may read: the defaults of resolv.conf(5) hold, a name server on this machine.
    return '';
  }
}
