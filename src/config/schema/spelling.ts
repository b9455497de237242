/**
 * Names as the manual prints them: `esmtp_listener` is `ESMTP_Listener`. Names are compared in lower case everywhere;
 * this is for display only.
 */
export function spelling(name: string): string {
  return (
    EVERYWHERE.get(name) ??
    WHOLE.get(name) ??
    name
      .split('_')
      .map((part) => PARTS.get(part) ?? capital(part))
      .join('_')
  );
}

/** The plainer spelling in the paths of `config locate`: `Esmtp_Listener`. */
export function pathSpelling(name: string): string {
  return EVERYWHERE.get(name) ?? name.split('_').map(capital).join('_');
}

/** Stanzas that the manual spells in one way only, in paths too. */
const EVERYWHERE: ReadonlyMap<string, string> = spelled(['auth_ds', 'EnumGroups', 'QueryGroups']);

const WHOLE: ReadonlyMap<string, string> = spelled([
  'AuthCramMD5Parameters',
  'AuthDigestMD5Parameters',
  'AuthLoginParameters',
  'AuthOAuthBearerParameters',
  'AuthorizationParameters',
  'AuthPlainParameters',
  'AuthScramSha256Parameters',
  'EventLoop',
  'MinimumScore',
  'NAS-Identifier',
  'NAS-IP-Address',
  'Send_8BitMime',
  'ThreadPool',
  'AuthXOAUTH2Parameters',
  'TimestampFormat',
  'Transform_8BitMime_Content',
  'Log_Requests_to_Paniclog',
  'RFC2822_Lone_LF_in_Body',
  'RFC2822_Lone_LF_in_Headers',
]);

const PARTS: ReadonlyMap<string, string> = spelled([
  'API',
  'CA',
  'DHE',
  'DHParams',
  'DNS',
  'DSN',
  'EC',
  'ECCluster',
  'ECStream',
  'EHLO',
  'ESMTP',
  'FBL',
  'HTTP',
  'IP',
  'IPv6',
  'LF',
  'LMTP',
  'MCMT',
  'MessageID',
  'MTA',
  'MX',
  'MXs',
  'NULL',
  'RFC2821',
  'RFC2822',
  'SMTP',
  'SNI',
  'SNMP',
  'SSL',
  'STS',
  'TCP',
  'TLS',
  'TLSv13',
  'TTL',
  'UDP',
  'URI',
  'VCTX',
  'XMPP',
]);

function spelled(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(words.map((word) => [word.toLowerCase(), word]));
}

function capital(part: string): string {
  return part.charAt(0).toUpperCase() + part.slice(1);
}
