/** Our resolver: names looked up by way of the Network, with a cache. */
export { resolver, type Resolver, type ResolverSettings } from './resolver.ts';
export type { ResolverStatistics } from './statistics.ts';
export { resolvConf, type DnsServer, type ResolvConf } from './resolv-conf.ts';
export { hostsFile, type Hosts } from './hosts-file.ts';
export { reverseName } from './dns-name.ts';
