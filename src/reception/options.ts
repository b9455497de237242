import {
  boolean,
  cidrs,
  type DictionaryValue,
  domainList,
  duration,
  enumeration,
  exactDictionary,
  integer,
  integerBetween,
  option,
  optional,
  ownOption,
  size,
  text,
  throttle,
} from '../config/index.ts';
import { domainName, hostName, lineLength, smtpExtensionList, staticBannerLine } from './value-types.ts';

export const smtpExtensions = option('smtp_extensions', optional(smtpExtensionList));
export const relayHosts = option('relay_hosts', optional(cidrs));
export const relayDomains = option('relay_domains', optional(domainList));
export const bounceDomains = option('bounce_domains', optional(domainList));
export const openRelay = option('open_relay', boolean);
export const relayForSendingDomains = option('relay_for_sending_domains', optional(domainList));
export const maxMessageSize = option('max_message_size', size);
export const maxRecipientsPerMessage = option('max_recipients_per_message', integer);
export const maxRecipientsPerConnection = option('max_recipients_per_connection', integer, {
  // There it limits sending: see delivery.
  unservedIn: ['binding', 'binding_group', 'domain'],
});
export const maxReceptionsPerConnection = option('max_receptions_per_connection', integer);
/** Momentum has no limit of this kind; the model is smtpd_hard_error_limit and smtpd_junk_command_limit of Postfix. */
export const maxBadCommands = ownOption('max_bad_commands', integerBetween(0, 1_000_000), {
  scopes: maxReceptionsPerConnection.scopes,
  initial: 100,
  summary:
    'commands in a row that bring no mail nearer (unknown, misplaced or malformed ones, NOOP, HELP, VRFY, RSET with nothing to reset), then 421; an accepted message begins the count anew; 0 no limit',
});
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
/** Here what `true` and `inline` mean; the queue sees to `internal`, and to what it had before. */
export const blackhole = option('blackhole', enumeration('false', 'true', 'inline', 'internal'));
export const dateHeader = option('rfc2822_date_header', enumeration('ifneeded', 'pedantic', 'ignore'));
export const messageIdHeader = option('rfc2822_messageid_header', enumeration('ifneeded', 'ignore'));
export const missingHeaders = option('rfc2822_missing_headers', enumeration('reject', 'allow'));
export const maxLineLength = option('rfc2822_max_line_length', lineLength);
export const maxLineLengthPolicy = option('rfc2822_max_line_length_policy', enumeration('none', 'fix', 'reject'));
export const generateBouncesForPolicyRejections = option(
  'generate_bounces_for_multi_recipient_policy_rejections',
  boolean,
);
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
export const contextProtect = ownOption('context_protect', boolean, {
  scopes: context.scopes,
  initial: true,
  summary: 'XSETCONTEXT may not set can_relay, auth_… and tls…, by which a client could let itself relay',
});
export const inboundThrottleMessages = option('inbound_throttle_messages', throttle);
export const pathway = option('pathway', optional(text));

export const ecstreamIdleTime = option('ecstream_idle_time', duration);
export const ecstreamMaxBatchSize = option('ecstream_max_batch_size', integerBetween(1, 1_000_000));

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
  maxBadCommands,
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
  blackhole,
  dateHeader,
  messageIdHeader,
  missingHeaders,
  maxLineLength,
  maxLineLengthPolicy,
  generateBouncesForPolicyRejections,
  traceHeaders,
  reconfigMessage,
  reconfigDisconnect,
  context,
  contextProtect,
  inboundThrottleMessages,
  pathway,
  ecstreamIdleTime,
  ecstreamMaxBatchSize,
];
