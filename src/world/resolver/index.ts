/** Our resolver: names looked up by way of the Network, with a cache. */

export { reverseName } from './dns-name.ts';
export { type Hosts, hostsFile } from './hosts-file.ts';
export { type DnsServer, type ResolvConf, resolvConf } from './resolv-conf.ts';
export { type Resolver, type ResolverSettings, resolver } from './resolver.ts';
export type { ResolverStatistics } from './statistics.ts';
