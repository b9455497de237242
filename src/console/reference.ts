/**
 * Every command of the manual, so that one which is missing here is answered by its name and not as unknown.
 * Support: `1` and `2` first and second release, `c` needs a cluster manager, `x` not planned, `gone` was removed.
 * `NAME:` stands for the instance of a module.
 */
export type Support = '1' | '2' | 'c' | 'x' | 'gone';

export interface ReferenceCommand {
  readonly words: string;
  readonly support: Support;
}

const named = (support: Support, ...all: readonly string[]): ReferenceCommand[] => all.map((words) => ({ words, support }));

export const referenceCommands: readonly ReferenceCommand[] = [
  ...named(
    '1',
    'summary', 'summary with-mobile', 'summary reset', 'active', 'delayed', 'binding active', 'binding delayed', 'domain', 'domain all', 'domains',
    'mailq', 'showqueue', 'binding summary', 'count', 'show inbound', 'show outbound', 'message details', 'message retry', 'message fail',
    'fail domain', 'binding fail domain', 'fail all', 'flush domain', 'binding flush domain', 'delay', 'reroute queue', 'rebind', 'refresh domain', 'dig',
    'dns_cache lookup', 'dns_cache submit', 'dns_cache stats', 'dns_cache refcnts', 'config', 'write config', 'module list', 'module hooks',
    'authz id', 'authz roles list', 'cache list', 'cache stat', 'cache stats', 'counter add', 'counter increment', 'counter reset', 'counter unlink',
    'counter list', 'counter help', 'threads stats', 'threads cpu queue', 'threads io queue', 'threads busy', 'memory', 'paniclog', 'reopen logs', 'pid',
    'version', 'sysinfo', 'shutdown', 'trace smtp add', 'trace smtp list', 'trace smtp remove', 'tls show cache', 'tls flush cache', 'signing_stats',
    'signing_stats reset', 'spool import', 'spool import_poll', 'spool_in', 'unlink stats', 'help', 'quit',
    'curfew check', 'curfew show', 'curfew status', 'curfew reload', 'curfew journal', 'sched at', 'sched in', 'sched every', 'sched delete', 'sched list',
    'ds_core flush', 'ds_core stats', 'ec_logger reopen logs', 'ec_logger help', 'bounce_logger reopen logs', 'bounce_logger help',
    'bounce_classifier_override reload', 'bounce_classifier_override test', 'cidrdb list', 'cidrdb reload',
    'inbound_audit add', 'inbound_audit subtract', 'inbound_audit count_cidr', 'inbound_audit delete_ip', 'inbound_audit load', 'inbound_audit show ip',
    'inbound_audit show all', 'inbound_audit help', 'outbound_audit show', 'outbound_audit clear', 'outbound_audit domain_list', 'delay_dsn show pending events',
  ),
  ...named(
    '2',
    'sp_async stats', 'hot_domains list', 'mta_sts list all', 'mta_sts show domain', 'mta_sts refresh policy',
    'adaptive list', 'adaptive override', 'adaptive reset', 'adaptive rules', 'adaptive suspensions', 'adaptive warmup',
    'ds_ldap flush connection cache', 'ds_ldap show connection cache stats', 'dk_sign stats', 'dk_sign flush keycache', 'dkim_sign stats',
    'dkim_sign flush keycache', 'scriptlet eval', 'scriptlet thread stats',
  ),
  ...named(
    'c',
    'cluster abort', 'cluster arp show', 'cluster duravip', 'cluster help', 'cluster info', 'cluster membership', 'cluster nodeaddr', 'cluster reset',
    'cluster shared list', 'cluster shared show', 'cluster show logs', 'broadcast', 'unicast', 'retrieve', 'retrieve_node', 'subcluster',
    'flush control cache', 'show cluster membership',
  ),
  ...named('1', 'cluster nodename'),
  ...named('x', 'fingerprint cache summary', 'fingerprint rejection summary', 'dnsbuf verify', 'beik reload', 'cloudmark version', 'commtouch_ctasd pending'),
  ...named('gone', 'tls rekey'),
];

/** How a command of the manual is answered that nothing here runs. */
export function missingText(command: ReferenceCommand): string {
  switch (command.support) {
    case '1':
    case '2':
      return `${command.words}: not implemented yet\n`;
    case 'c':
      return `${command.words}: not available on a single node\n`;
    case 'x':
      return `${command.words}: not supported\n`;
    case 'gone':
      return `${command.words.split(' ', 1)[0] ?? ''} command not understood\n`;
  }
}
