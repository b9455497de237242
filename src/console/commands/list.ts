import type { Command } from '../command.ts';
import { pid, sysinfo, version } from './about.ts';
import { authzId, authzRolesList } from './authz.ts';
import { bindingSummary } from './binding-summary.ts';
import { config, reload, writeConfig } from './config.ts';
import { count } from './count.ts';
import { dnsLookup, dnsStats, dnsSubmit } from './dns-cache.ts';
import { dig, domain, refreshDomain } from './domain.ts';
import { domainLines } from './domain-lines.ts';
import { explain } from './explain.ts';
import { bindingFailDomain, failDomain } from './fail-domain.ts';
import { bindingFlushDomain, flushDomain } from './flush-domain.ts';
import { help, quit } from './help.ts';
import { ledger } from './ledger.ts';
import { paniclog, reopenLogs } from './logs.ts';
import { mailq } from './mailq.ts';
import { messageDetails, messageFail, messageRetry } from './message.ts';
import { moduleList } from './modules.ts';
import { showInbound, showOutbound } from './show.ts';
import { showqueue } from './showqueue.ts';
import { shutdown } from './shutdown.ts';
import { summary, summaryReset } from './summary.ts';
import { tlsFlushCache, tlsShowCache } from './tls.ts';

/** Every command of the console. A new one is a file beside this and a name in this list. */
export const commands: readonly Command[] = [
  summary,
  summaryReset,
  mailq,
  ...domainLines,
  domain,
  showqueue,
  bindingSummary,
  count,
  showInbound,
  showOutbound,
  messageDetails,
  messageRetry,
  messageFail,
  failDomain,
  bindingFailDomain,
  flushDomain,
  bindingFlushDomain,
  refreshDomain,
  dig,
  dnsLookup,
  dnsSubmit,
  dnsStats,
  config,
  writeConfig,
  reload,
  moduleList,
  authzId,
  authzRolesList,
  paniclog,
  reopenLogs,
  tlsShowCache,
  tlsFlushCache,
  ledger,
  explain,
  pid,
  version,
  sysinfo,
  shutdown,
  help,
  quit,
];
