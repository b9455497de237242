/**
 * Where Momentum's manual tells about an option, a stanza or a module: paths of its pages below the manual's root, as
 * `config/ref-retry-interval`. Taken from the list of pages of the manual for Momentum 4.
 */

/** @returns the page of an option that stands outside of modules, or of a stanza of the core */
export function configPage(name: string): string | undefined {
  const other = OTHERWISE.get(name);
  if (other !== undefined) return other;
  const word = name.replace(/^_/, '').replaceAll('_', '-');
  for (const each of [`ref-${word}`, word]) if (PAGES.has(each)) return `config/${each}`;
  return undefined;
}

/** @returns the page of a module, by the name of its stanza */
export function modulePage(module: string): string | undefined {
  const other = MODULES_OTHERWISE.get(module);
  if (other !== undefined) return other;
  const word = module.replaceAll('_', '-');
  return MODULES.has(word) ? `modules/${word}` : undefined;
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const PAGES: ReadonlySet<string> = words(`
click-tracking-enabled click-tracking-scheme crypto-lock-method enable-dane max-request-size
open-tracking-enabled open-tracking-scheme ref-adaptive-backstore-leveldb ref-adaptive-backstore-riak
ref-adaptive-enabled ref-adaptive-scope ref-address-metrics-cleanse-interval ref-address-metrics-lifetime
ref-alias-schemes ref-allow-ip-literal ref-allow-null-envelope-sender ref-allow-trailing-whitespace-in-commands
ref-async-bounce-rendering ref-authorization ref-bind-address ref-binding-auto-replumb-interval
ref-binding-auto-replumb ref-binding-group ref-binding ref-blackhole ref-body-timeout ref-bounce-behavior
ref-bounce-domains ref-bounce-pattern ref-bounce-suppress-list ref-bounces-inline-original ref-capabilities
ref-chroot ref-clear-mail-queue-maintainers ref-cluster-max-outbound-connections
ref-cluster-outbound-throttle-connections ref-cluster-outbound-throttle-messages
ref-cluster-scope-max-outbound-connections ref-cluster-server-max-outbound-connections
ref-connect-timeout-to-delay ref-connect-timeout ref-connection-allocation-aggressiveness ref-context
ref-control-client-timeout ref-crypto-engine ref-debug-flags ref-default-binding ref-default-charset
ref-delay-dsn-max-retry-interval ref-delay-dsn-retry-interval ref-delayed-binding-domain-fuzz
ref-delayed-queue-scan-interval ref-delivery-method ref-delivery-pool ref-delivery-response-timeout
ref-disable-nagle-algorithm ref-disk-queue-drain-rate ref-dns-cache-purge-interval ref-dns-expire-interval
ref-dns-failures-to-purge ref-dns-fallback-to-tcp ref-dns-max-udp-queries-per-port
ref-domain-for-unqualified-recipient-addresses ref-domain-for-unqualified-sender-address ref-domain
ref-drop-body-after-trans-fail ref-ecstream-port ref-ecstream-timeout ref-ehlo-hostname ref-ehlo-timeout
ref-enable-fbl-header-insertion ref-event-loop ref-eventloop ref-events-per-iter ref-exclude-vctx-conn
ref-exclude-vctx-mess ref-expensive-batch-assessment ref-force-fsync ref-fully-resolve-before-smtp ref-gateway
ref-generate-bounces-for-multi-recipient-policy-rejections ref-generate-bounces ref-generate-delay-dsn
ref-growbuf-size ref-host-failure-retry ref-host ref-hostname ref-hot-domains ref-http-basic-auth ref-http-host
ref-http-method ref-http-uri ref-http-version ref-idle-time ref-idle-timeout ref-inbound-throttle-messages
ref-initial-hash-buckets ref-inline-transfail-processing ref-keep-message-dicts-in-memory
ref-large-message-threshold ref-legacy-message-threshold ref-license ref-listener-sessions ref-lmtp-port
ref-local-changes-file ref-local-changes-only ref-log-hires-timestamp ref-mail-queue-check-vm-interval
ref-mailerdaemon ref-mailfrom-timeout ref-maintainer-pool ref-masterdb-file ref-match-cache-life
ref-match-cache-size ref-max-deliveries-per-connection ref-max-dns-ttl ref-max-outbound-connections
ref-max-recipients-per-batch ref-max-resident-active-queue ref-max-resident-messages ref-max-resident-transfails
ref-max-retries ref-max-retry-interval ref-max-timed-events-per-iter ref-mdn-failures-notify ref-memory-goal
ref-memory-hwm ref-message-expiration ref-migrate-connections-between-sibling-domains
ref-mime-parse-large-messages-during-reception ref-min-dns-ttl ref-mx-failures-fallback-to-a
ref-mx-failures-to-delay ref-never-attempt-expired-messages ref-never-retry
ref-only-use-best-mx-for-relay-domains ref-open-relay ref-opendkim-sign ref-outbound-throttle-connections
ref-outbound-throttle-messages ref-pathway-group ref-pathway ref-pcre-cache-size ref-pcre-cache-ttl
ref-permastore-interval ref-pidfile ref-prohibited-hosts ref-proxy-protocol-timeout ref-proxy-protocol
ref-rcptto-timeout ref-relay-domains ref-relay-for-sending-domains ref-relay-hosts ref-remote-smtp-port
ref-require-ehlo ref-reserve-maintenance-interval ref-resolv-conf ref-response-transcode-pattern
ref-response-transcode-replace ref-retry-interval ref-rollup-mx-name ref-rollup-mx ref-routes ref-rset-timeout
ref-scheduler ref-scope-max-outbound-connections ref-security ref-server-max-file-descriptors
ref-server-max-outbound-connections ref-server-reserve-outbound-connections ref-service-sessions
ref-signing-stats ref-siv-throttle-cache-size ref-skip-hosts ref-snmp ref-soft-bounce-drain-rate ref-spool-mode
ref-spoolbase ref-supplemental-groups ref-suspend-delivery ref-swap-out-meta-after-each-tempfail ref-threadpool
ref-timestampformat ref-tls-dhparams-file ref-tls-enable-dhe-ciphers ref-tls ref-trace-smtp-mode
ref-transfail-drain-rate ref-unlink-on-spool-in-failure ref-unsafe-spool ref-use-iflist-cache ref-use-mmap
ref-use-sendfile ref-user ref-xclient ssl-lock-method starttls-injection-policy tls-allow-renegotiation tls-ca
tls-certificate tls-ciphers tls-client-ca tls-ec-curve-names tls-engine tls-ifavailable-fallback tls-key
tls-protocols tls-verified-peer-is-authorized tls-verify-mode tls-verify tlsa-expire-interval
tlsv13-ciphersuites tracking-domain tracking-link-expiry use-dane
`);

/** Pages whose names do not follow from the name of the option. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['enable_mta_sts', 'config/mta-sts/enable-mta-sts'],
  ['mta_sts_dns_cname_max_depth', 'config/mta-sts/mta-sts-dns-cname-max-depth'],
  ['mta_sts_policy_store', 'config/mta-sts/mta-sts-policy-store'],
  ['use_mta_sts', 'config/mta-sts/use-mta-sts'],
  ['prefer_ipv6_mxs', 'config/ref-prefer_ipv6_mxs'],
  ['use_ipv6', 'config/ref-use-ipv-6'],
  ['send_8bitmime', 'config/ref-send-8-bitmime'],
  ['transform_8bitmime_content', 'config/ref-transform-8-bitmime-content'],
  ['malloc2mmap_threshold', 'config/ref-malloc-2-mmap-threshold'],
  ['debug_throttle_max_num_same_message', 'config/ref-debug-throttle'],
  ['debug_throttle_period_secs', 'config/ref-debug-throttle'],
  ['dns_rate_limit_enabled', 'config/ref-dns-rate-limit'],
  ['dns_rate_limit_mx_queries', 'config/ref-dns-rate-limit'],
  ['dns_rate_limit_period', 'config/ref-dns-rate-limit'],
  ['dns_rate_limit_max_queue', 'config/ref-dns-rate-limit'],
  ['dns_udp_rcvbuf_size', 'config/ref-dns-udp-buffer-size'],
  ['dns_udp_sndbuf_size', 'config/ref-dns-udp-buffer-size'],
  ['tcp_recv_buffer_size', 'config/ref-tcp-buffer-size'],
  ['tcp_send_buffer_size', 'config/ref-tcp-buffer-size'],
  ['rfc2821_allow_whitespace_in_envelope', 'config/ref-rfc-2821-allow-whitespace-in-envelope'],
  ['rfc2821_pedantic_address_rules', 'config/ref-rfc-2821-pedantic-address-rules'],
  ['rfc2822_date_header', 'config/ref-rfc-2822-date-header'],
  ['rfc2822_lone_lf_in_body', 'config/ref-rfc-2822-lone-lf-in-body'],
  ['rfc2822_lone_lf_in_headers', 'config/ref-rfc-2822-lone-lf-in-headers'],
  ['rfc2822_max_line_length', 'config/ref-rfc-2822-max-line-length'],
  ['rfc2822_max_line_length_policy', 'config/ref-rfc-2822-max-line-length-policy'],
  ['rfc2822_messageid_header', 'config/ref-rfc-2822-messageid-header'],
  ['rfc2822_missing_headers', 'config/ref-rfc-2822-missing-headers'],
  ['rfc2822_trace_headers', 'config/ref-rfc-2822-trace-headers'],
  ['reconfig_message', 'esmtp-listener-reconfig-message'],
  ['smtp_extensions', 'esmtp-listener-extensions'],
  ['esmtp_listener', 'esmtp-listener'],
  ['control_listener', 'control-listener'],
  ['ecstream_listener', 'ecstream-listener'],
  ['http_listener', 'http-listener'],
  ['eccluster_listener', 'cluster-listeners'],
  ['msgcserver_listener', 'config/ref-msgc-server-conf'],
  ['listen', 'listeners'],
  ['peer', 'listeners'],
]);

const MODULES: ReadonlySet<string> = words(`
ac-auth alerting alias as-logger auth-ds auth-radius beik bind-address-secondary bounce-classifier-override
bounce-logger brightmail chunk-logger cidrdb clamav cloudmark compress-spool conntrol csapi curfew
custom-bounce-logger custom-logger dane delay-dsn dnsbuf ds-core ec-logger eleven event-hydrant exim-logger fbl
ha-proxy-client http-logger icu ilf-logger inbound-audit jlog live-bounce-updates mail-loop maildir msg-gen mxip
openarc opendkim outbound-audit outbound-smtp-auth pipe-transport postfix-logger reception-timing
response-transcode sched scriptlet securecreds seedlist sendmail-logger smtp-auth-proxy smtp-cbv
smtp-rcptto-proxy smtpapi spamassassin spf static-routes suppress-spool syslog-io url-ripper
`);

const MODULES_OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['adaptive', 'modules/4-adaptive'],
  ['antivirus', 'modules/4-antivirus'],
  ['cluster', 'modules/4-modules-cluster'],
  ['httpsrv', 'modules/4-httpsrv'],
  ['commtouch_ctasd', 'modules/commtouch'],
  ['dk_sign', 'modules/domainkeys'],
  ['dk_validate', 'modules/domainkeys'],
  ['engagement_tracker', 'modules/engage-tracker'],
  ['fingerprint', 'modules/host-fingerprint'],
  ['ipv6_lookup', 'modules/ipv-6-lookup'],
  ['msgc_client', 'modules/msgc'],
  ['msgc_server', 'modules/msgc'],
  ['persist_io', 'modules/persistio'],
  ['pipe_io', 'modules/pipeio'],
  ['generate_bounces', 'config/ref-generate-bounces'],
  ['senderid', 'modules/spf'],
  ['spf_v1', 'modules/spf'],
  ['spf_macros', 'modules/spf'],
  ['xclient', 'config/ref-xclient'],
]);
