import type { Datasource } from './datasource.ts';
import type { Datasources } from './datasources.ts';

/** A console command: the lines of its answer. */
export interface DatasourceCommand {
  readonly words: string;
  readonly summary: string;
  run(rest: readonly string[]): Iterable<string>;
}

/** Of ds_core and ds_ldap (manual page ds_core, console commands). */
export function datasourceCommands(datasources: Datasources): readonly DatasourceCommand[] {
  const directories = (): readonly Datasource[] => [...datasources].filter(({ kind }) => kind === 'ldap');
  return [
    {
      words: 'ds_core flush',
      summary: 'forgets the query results of a datasource: ds_core flush CACHE',
      *run(rest) {
        const [name] = rest;
        if (name === undefined || rest.length > 1) {
          yield 'usage: ds_core flush CACHE';
          return;
        }
        const datasource = datasources.find(name);
        yield datasource === undefined
          ? `there is no cache '${name}'`
          : `flushed ${datasource.flush()} entries from cache '${name}'`;
      },
    },
    {
      words: 'ds_core stats',
      summary: 'look-ups in the caches of datasources, and what became of their entries',
      *run() {
        yield 'cache name                      lookups %                  deletions %';
        yield '                       elts  hit miss pend  total  inserts man ttl lru  total';
        yield '---------------------- ----- -------------------- -------- ------------------';
        for (const each of datasources) yield statsLine(each);
      },
    },
    {
      words: 'ds_ldap flush connection cache',
      summary: 'closes the connections to directories that nobody uses now',
      *run() {
        const count = directories().reduce((sum, each) => sum + each.flushConnections(), 0);
        yield `flushed ${count} connections`;
      },
    },
    {
      words: 'ds_ldap show connection cache stats',
      summary: 'connections to directories, for each datasource',
      *run() {
        yield 'datasource              open  idle  down';
        for (const { name, pools } of directories()) {
          const open = pools.reduce((sum, pool) => sum + pool.open, 0);
          const idle = pools.reduce((sum, pool) => sum + pool.idle, 0);
          const down = pools.filter((pool) => pool.down).length;
          yield `${name.padEnd(22)} ${right(open, 5)} ${right(idle, 5)} ${right(down, 5)}`;
        }
      },
    },
  ];
}

function statsLine({ name, cache }: Datasource): string {
  const { hits, misses, pending, inserts, flushed, expired, pushedOut } = cache.counts;
  const lookups = hits + misses + pending;
  const deletions = flushed + expired + pushedOut;
  const share = (part: number, whole: number): string => right(whole === 0 ? 0 : Math.round((100 * part) / whole), 4);
  return (
    `${name.padEnd(22)} ${right(cache.size, 5)}` +
    `${share(hits, lookups)}${share(misses, lookups)}${share(pending, lookups)}${right(lookups, 9)}${right(inserts, 9)}` +
    `${share(flushed, deletions)}${share(expired, deletions)}${share(pushedOut, deletions)}${right(deletions, 7)}`
  );
}

const right = (value: number, width: number): string => `${value}`.padStart(width);
