import {
  boolean,
  cidrs,
  type DictionaryValue,
  domainList,
  duration,
  enumeration,
  exactDictionary,
  integer,
  option,
  optional,
  ownOption,
  size,
  text,
} from '../config/index.ts';
import { domainName, hostName, smtpExtensionList, staticBannerLine } from './value-types.ts';

export const smtpExtensions = option('smtp_extensions', optional(smtpExtensionList));
export const relayHosts = option('relay_hosts', optional(cidrs));
export const relayDomains = option('relay_domains', optional(domainList));
export const bounceDomains = option('bounce_domains', optional(domainList));
export const openRelay = option('open_relay', boolean);
export const relayForSendingDomains = option('relay_for_sending_domains', optional(domainList));
export const maxMessageSize = option('max_message_size', size);
export const maxRecipientsPerMessage = option('max_recipients_per_message', integer);
export const maxRecipientsPerConnection = option('max_recipients_per_connection', integer, {
  // What it limits on the sending side comes with the sending extensions.
  unservedIn: ['binding', 'binding_group', 'domain'],
});
export const maxReceptionsPerConnection = option('max_receptions_per_connection', integer);
export const idleTime = option('idle_time', duration);
export const bannerHostname = option('banner_hostname', optional(hostName));
export const staticBanner = option('static_banner', optional(staticBannerLine));
export const receivedHostname = option('received_hostname', optional(hostName));
export const hostname = option('hostname', optional(hostName));
export const requireEhlo = option('require_ehlo', boolean);
export const allowNullEnvelopeSender = option('allow_null_envelope_sender', boolean);
export const allowIpLiteral = option('allow_ip_literal', boolean);
export const allowTrailingWhitespaceInCommands = option('allow_trailing_whitespace_in_commands', boolean);
export const allowWhitespaceInEnvelope = option('rfc2821_allow_whitespace_in_envelope', boolean);
export const pedanticAddressRules = option('rfc2821_pedantic_address_rules', boolean);
export const domainForUnqualifiedSenderAddress = option('domain_for_unqualified_sender_address', optional(domainName));
export const domainForUnqualifiedRecipientAddresses = option(
  'domain_for_unqualified_recipient_addresses',
  optional(domainName),
);
export const loneLfInHeaders = option('rfc2822_lone_lf_in_headers', enumeration('pedantic', 'fix'));
export const loneLfInBody = option('rfc2822_lone_lf_in_body', enumeration('ignore', 'pedantic', 'fix'));
export const traceHeaders = option('rfc2822_trace_headers', boolean);
export const reconfigMessage = option('reconfig_message', text);
/** Momentum closes every session after a reload; here only those that see a difference. */
export const reconfigDisconnect = ownOption('reconfig_disconnect', enumeration('changed', 'always'), {
  scopes: reconfigMessage.scopes,
  initial: 'changed',
  dynamic: true,
  summary: 'after a commit: always closes every session at MAIL FROM or RSET, changed those that see a difference',
});
export const context = option<DictionaryValue | undefined>('context', optional(exactDictionary));
export const pathway = option('pathway', optional(text));
// What consoles make of logging in comes with their logins; forced ones are asked by them already.
export const enableAuthentication = option('enable_authentication', optional(boolean), {
  unservedIn: ['control_listener'],
});
export const alwaysAllow = option('always_allow', boolean);
export const alwaysDeny = option('always_deny', boolean);

/** Every option that reception reads: all of them are honoured. */
export const receptionOptions = [
  smtpExtensions,
  relayHosts,
  relayDomains,
  bounceDomains,
  openRelay,
  relayForSendingDomains,
  maxMessageSize,
  maxRecipientsPerMessage,
  maxRecipientsPerConnection,
  maxReceptionsPerConnection,
  idleTime,
  bannerHostname,
  staticBanner,
  receivedHostname,
  hostname,
  requireEhlo,
  allowNullEnvelopeSender,
  allowIpLiteral,
  allowTrailingWhitespaceInCommands,
  allowWhitespaceInEnvelope,
  pedanticAddressRules,
  domainForUnqualifiedSenderAddress,
  domainForUnqualifiedRecipientAddresses,
  loneLfInHeaders,
  loneLfInBody,
  traceHeaders,
  reconfigMessage,
  reconfigDisconnect,
  context,
  pathway,
  enableAuthentication,
  alwaysAllow,
  alwaysDeny,
];
